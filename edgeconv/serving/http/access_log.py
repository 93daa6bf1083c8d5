"""The access log: a line of JSON for each request, written a few times a second."""

from __future__ import annotations

import asyncio
import sys
import time
from json.encoder import encode_basestring_ascii as quoted
from typing import TextIO

EVERY_SECONDS = 0.2
"""Lines wait so long at most: a write for each would take as long as a small model does."""


class AccessLog:
    """Writes what was asked and answered.

    Args:
        stream: to write to; None writes nothing.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lines: list[str] = []

    def note(self, *, identity: str, client: str, method: str, path: str, status: int, seconds: float) -> None:
        """Note a request: who asked for what, and how it ended after how long."""
        if self._stream is None:
            return
        if not self._lines:
            asyncio.get_running_loop().call_later(EVERY_SECONDS, self.flush)
        self._lines.append(
            f'{{"time": {time.time():.3f}, "id": {quoted(identity)}, "client": {quoted(client)}, "method": '
            f'{quoted(method)}, "path": {quoted(path)}, "status": {status}, "ms": {seconds * 1000:.3f}}}\n'
        )

    def flush(self) -> None:
        """Write what is noted."""
        lines, self._lines = self._lines, []
        if self._stream is not None and lines:
            try:
                self._stream.write("".join(lines))
                self._stream.flush()
            except OSError:  # Whoever read it is gone; requests are answered all the same.
                self._stream = None


def say(text: str) -> None:
    """Write a line for whoever runs the server."""
    print(text, file=sys.stderr, flush=True)
