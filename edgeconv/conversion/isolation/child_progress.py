"""Progress through a pipe: a child tells, one JSON line a message, and its parent passes it on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any, BinaryIO

from edgeconv.progress import SILENT, Advance, Progress


class ProgressSender:
    """The child's side: a `Progress` that writes to a pipe, and the sender of the last message."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._numbers = count()

    def send(self, *message: Any, payload: bytes = b"") -> None:
        """Send a message of plain values, and what follows its line."""
        with self._lock:
            self._pipe.write(json.dumps(message).encode() + b"\n" + payload)
            self._pipe.flush()

    def say(self, message: str) -> None:
        """Tell one line."""
        self.send("say", message)

    @contextmanager
    def bar(self, description: str, total: int | None) -> Iterator[Advance]:
        """Open a bar in the parent while the block runs."""
        number = next(self._numbers)
        self.send("open", number, description, total)

        def advance(steps: int, status: str) -> None:
            self.send("advance", number, int(steps), status)

        try:
            yield advance
        finally:
            self.send("close", number)


class Relay:
    """The parent's side: passes on what a child tells. As a context, it closes the bars that are left open."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress or SILENT
        self._bars: dict[int, tuple[AbstractContextManager[Advance], Advance]] = {}

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *error: object) -> None:
        for number in reversed(list(self._bars)):
            self._bars.pop(number)[0].__exit__(None, None, None)

    def pass_on(self, kind: str, arguments: list[Any]) -> None:
        """Pass on a message of a `ProgressSender`; others are nothing to anyone."""
        match kind, arguments:
            case "say", [message]:
                self._progress.say(str(message))
            case "open", [int(number), description, int() | None as total] if number not in self._bars:
                bar = self._progress.bar(str(description), total)
                self._bars[number] = (bar, bar.__enter__())
            case "advance", [int(number), int(steps), status] if number in self._bars:
                self._bars[number][1](steps, str(status))
            case "close", [int(number)] if number in self._bars:
                self._bars.pop(number)[0].__exit__(None, None, None)
