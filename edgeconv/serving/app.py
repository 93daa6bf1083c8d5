"""The application: routes behind the guard, and models that load while it answers already."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.routing import Route, Router

from edgeconv.errors import ConfigError
from edgeconv.runtime.cores import usable_cores
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import find_model
from edgeconv.serving.answering import Answering
from edgeconv.serving.config import ServeConfig
from edgeconv.serving.http.access_log import AccessLog, say
from edgeconv.serving.http.connection import DIRECT, LIMITS
from edgeconv.serving.http.direct import Direct
from edgeconv.serving.http.guard import Guard
from edgeconv.serving.http.inference_routes import inference_routes
from edgeconv.serving.http.keys import Keys
from edgeconv.serving.http.messages import Endpoint, Reply, Request
from edgeconv.serving.http.openapi import openapi
from edgeconv.serving.http.origins import Origins
from edgeconv.serving.http.predict_routes import predict_routes
from edgeconv.serving.http.repository_routes import repository_routes
from edgeconv.serving.metrics import CONTENT_TYPE, Metrics
from edgeconv.serving.models.pictures import PictureReader
from edgeconv.serving.models.repository import Repository
from edgeconv.serving.page.routes import page_routes


class Application:
    """An ASGI application that serves models.

    Args:
        config: what to serve, and how.
        on_ready: called once every model has answered its golden vectors.
        load_first: whether to take requests only then: where other processes answer meanwhile.

    Attributes:
        repository: its models.
        asgi: what answers any request.
        direct: what answers most of those for inference.

    Raises:
        ArtifactError: a path is no model.
        ConfigError: two models have one name.
    """

    def __init__(
        self, config: ServeConfig, on_ready: Callable[[], object] | None = None, *, load_first: bool = False
    ) -> None:
        self._config = config
        self._load_first = load_first
        cores = usable_cores()
        self._executor = ThreadPoolExecutor(max(2, cores), thread_name_prefix="serve")
        self._on_ready = on_ready
        self._tasks: set[asyncio.Task[None]] = set()
        metrics = Metrics()
        self.repository = Repository(
            paths_of(config.models),
            config,
            executor=self._executor,
            cores=cores,
            observer=metrics.of,
            say=say,
        )
        self._answering = answering = Answering(self.repository, PictureReader(self._executor, config.limits))

        async def figures(_: Request) -> Reply:
            return Reply(metrics.text(), content_type=CONTENT_TYPE)

        async def description(_: Request) -> Reply:
            return Reply.of_json(openapi(list(self.repository.entries), keys=bool(config.api_keys)))

        routes = [
            *inference_routes(answering, config.limits),
            *predict_routes(answering, config.limits),
            *repository_routes(self.repository, workers=config.workers),
            *page_routes(self.repository),
            Route("/metrics", Endpoint(figures), methods=["GET"]),
            Route("/openapi.json", Endpoint(description), methods=["GET"]),
        ]
        self._log = AccessLog(sys.stdout if config.access_log else None)
        self._router = Router(routes, redirect_slashes=False, lifespan=self._lifespan)
        self.asgi = Guard(
            self._router,  # type: ignore[arg-type]  # Starlette's types of messages are its own.
            keys=Keys(config.api_keys),
            origins=Origins(config),
            log=self._log,
            say=say,
        )
        self.direct = Direct(answering, self.asgi, config.limits)

    def reload(self) -> None:
        """Load every model anew, each beside the one that answers meanwhile."""
        self._start(self.repository.load_all())

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[dict[str, Any]]:
        if self._load_first:
            await self._load()
        else:
            self._start(self._load())
        grpc = None
        if self._config.grpc_port is not None:
            from edgeconv.serving.grpc_service import start_grpc  # Here, since it has an extra of its own.

            grpc = await start_grpc(self._config, self._answering)
        yield {LIMITS: self._config.limits, DIRECT: self.direct}
        if grpc is not None:
            await grpc.stop(self._config.limits.grace)
        for task in self._tasks:
            task.cancel()
        self._log.flush()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _load(self) -> None:
        await self.repository.load_all()
        if self._on_ready is not None and self.repository.is_ready:
            self._on_ready()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def paths_of(models: tuple[str, ...]) -> dict[str, Path]:
    """Return the paths of models by the names that clients use: those of their contracts, or as ``NAME=PATH`` says.

    Raises:
        ArtifactError: a path is no model.
        ConfigError: two models have one name, or one has a name that no address can hold.
    """
    found: dict[str, Path] = {}
    for given in models or (str(find_model()),):
        name, equals, place = given.partition("=")
        if not equals or Path(given).exists():
            name, place = "", given
        path = Path(place)
        name = name or read_files(path).manifest.name
        if not name or "/" in name or not name.isprintable():
            raise ConfigError(
                f"A model must have a name that an address can hold. Received: {name!r}. Name it, as `digits={place}`."
            )
        if name in found:
            raise ConfigError(
                f"Each model must have a name of its own. Received: {name!r} twice. Name one, as `other={place}`."
            )
        found[name] = path
    return found
