"""The models of a server by their names: loaded, believed, replaced and unloaded while requests come in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from edgeconv.errors import EdgeconvError
from edgeconv.runtime.files import read_again, read_files
from edgeconv.runtime.providers import short_name
from edgeconv.runtime.runner import Runner
from edgeconv.runtime.tuned import tuned_for_this_device
from edgeconv.serving.config import ServeConfig
from edgeconv.serving.errors import RequestError
from edgeconv.serving.models.batching import Batcher, Observer
from edgeconv.serving.models.golden import reproduce
from edgeconv.serving.models.served_model import VERSION, ServedModel

INLINE_SECONDS = 0.001
"""A call that takes less is made in the event loop's own thread: handing it to another costs as much."""

State = Literal["LOADING", "READY", "UNAVAILABLE"]
"""By the names of Triton's repository extension."""


@dataclass(eq=False)
class Entry:
    """A place for a model.

    Attributes:
        name: that clients use.
        path: of its artifact; no client is told.
        state: of what is there.
        reason: why there is nothing.
        wanted: whether the server is ready only with it.
        batcher: feeds the model that is there, or None. It stays for the requests that it has when another takes its
            place.
        model: that is there, or None.
    """

    name: str
    path: Path
    state: State = "LOADING"
    reason: str = ""
    wanted: bool = True
    batcher: Batcher | None = None
    model: ServedModel | None = None


class Repository:
    """All models of a server.

    Args:
        paths: of artifacts or lone files, by the names that clients use.
        config: of the server.
        executor: of the threads that open models and call those that take long.
        cores: that the calls of one model may take at once.
        observer: makes what hears of a model's requests.
        say: writes a line for whoever runs the server.
    """

    def __init__(
        self,
        paths: dict[str, Path],
        config: ServeConfig,
        *,
        executor: Executor,
        cores: int,
        observer: Callable[[str], Observer],
        say: Callable[[str], object],
    ) -> None:
        self.entries = {name: Entry(name, path) for name, path in paths.items()}
        self._config = config
        self._executor = executor
        self._cores = cores
        self._observer = observer
        self._say = say
        self._loading = {name: asyncio.Lock() for name in paths}

    @property
    def is_ready(self) -> bool:
        """Whether every model that is wanted has answered its golden vectors."""
        return all(entry.state == "READY" for entry in self.entries.values() if entry.wanted)

    def entry(self, name: str, version: str | None = None) -> Entry:
        """Return the place of a model.

        Raises:
            RequestError: there is none of that name, or it has no such version.
        """
        entry = self.entries.get(name)
        if entry is None:
            known = ", ".join(self.entries)
            raise RequestError(
                HTTPStatus.NOT_FOUND, f"A model must be one of {known}. Received: `{name[:100]}`. Name one of these."
            )
        if version not in {None, "", VERSION}:
            raise RequestError(
                HTTPStatus.NOT_FOUND,
                f"`{name}` has the version {VERSION} alone. Received: {str(version)[:20]}. Leave the version out.",
            )
        return entry

    def ready(self, name: str, version: str | None = None) -> tuple[ServedModel, Batcher]:
        """Return a model that answers, with what feeds it.

        Raises:
            RequestError: it is being loaded, was unloaded, or cannot be loaded.
            RequestError: see `entry`.
        """
        entry = self.entry(name, version)
        if entry.model is None or entry.batcher is None:
            received = "one that is being loaded" if entry.state == "LOADING" else f"one that is not: {entry.reason}"
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE, f"`{name}` must be loaded. Received: {received}. Try again later."
            )
        return entry.model, entry.batcher

    async def load_all(self) -> None:
        """Load every model that is wanted, one after the other; what is there is replaced without a gap."""
        for entry in self.entries.values():
            if entry.wanted:
                await self.load(entry.name)

    async def load(self, name: str) -> Entry:
        """Load a model, or load it anew; the one that is there answers until the new one is believed.

        Returns:
            The place, with the reason where it cannot be loaded. Then what was there goes on.
        """
        entry = self.entry(name)
        async with self._loading[name]:
            entry.wanted = True
            if entry.model is None:
                entry.state = "LOADING"
            loop = asyncio.get_running_loop()
            loaded: asyncio.Future[tuple[ServedModel, float] | str] = loop.create_future()
            # A thread of its own: those of the executor answer requests meanwhile, and no end has to wait for it.
            thread = threading.Thread(target=self._open, args=(entry, loop, loaded), daemon=True, name=f"load {name}")
            thread.start()
            found = await loaded
            if isinstance(found, str):
                entry.reason = found
                entry.state = "READY" if entry.model is not None else "UNAVAILABLE"
                return entry
            model, seconds = found
            limits = self._config.limits
            entry.batcher = Batcher(
                model,
                self._observer(name),
                executor=None if seconds < INLINE_SECONDS else self._executor,
                workers=max(1, self._cores // model.runner.threads),
                max_batch=limits.max_batch,
                max_queue=limits.max_queue,
                queue_timeout=limits.queue_timeout,
            )
            entry.model, entry.state, entry.reason = model, "READY", ""
            return entry

    def unload(self, name: str) -> None:
        """Let a model go; requests that it has are answered."""
        entry = self.entry(name)
        entry.model = entry.batcher = None
        entry.state, entry.reason, entry.wanted = "UNAVAILABLE", "unloaded", False

    def _open(
        self,
        entry: Entry,
        loop: asyncio.AbstractEventLoop,
        loaded: asyncio.Future[tuple[ServedModel, float] | str],
    ) -> None:
        """Open a model and try it, in a thread."""
        found: tuple[ServedModel, float] | str
        try:
            model = read_again(entry.path, lambda: self._opened(entry))
            found = model, reproduce(model)
        except (EdgeconvError, OSError, MemoryError) as error:
            self._say(f"`{entry.name}` cannot be loaded: {error or type(error).__name__}")
            found = "the server's log says why"
        try:
            loop.call_soon_threadsafe(_settle, loaded, found)
        except RuntimeError:  # The server ended meanwhile.
            return

    def _opened(self, entry: Entry) -> ServedModel:
        config = self._config
        files = read_files(entry.path)
        runner = Runner(
            entry.path,
            variant=config.variant,
            device=config.device,
            threads=config.threads,
            timeout=config.timeout,
            tuned=True,
        )
        best = tuned_for_this_device(files.manifest)
        if best is not None and (best.variant, best.provider, best.threads) == (
            runner.variant,
            runner.provider,
            runner.threads,
        ):
            self._say(
                f"`{entry.name}` runs as `edgeconv benchmark --tune` chose for this device: {best.variant} on "
                f"{short_name(best.provider)}, threads: {best.threads}."
            )
        return ServedModel(entry.name, runner, files.manifest, files.samples)


def _settle(loaded: asyncio.Future[tuple[ServedModel, float] | str], found: tuple[ServedModel, float] | str) -> None:
    if not loaded.done():
        loaded.set_result(found)
