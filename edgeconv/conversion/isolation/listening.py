"""The messages of a child process, read by a thread so that the caller can wait for them and for the clock at once."""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress
from typing import Any, BinaryIO

LOOK_SECONDS = 0.5
"""Between two looks at a silent child: whether it still lives, whether its time is over."""

LONGEST_LINE = 1 << 20
LONGEST_PAYLOAD = 256 << 20
"""Bytes of a message and of a result; a ledger with every flip has a thousandth of that."""

WAITING = 1000
"""Messages that may wait to be passed on; a child that tells more has to wait itself."""


class Listener(threading.Thread):
    """Reads a child's messages, so that the caller can wait for them and for the clock at once, on every platform.

    Attributes:
        messages: (kind, arguments, payload); None when there will be no more.
        stopped: set by the caller when nobody takes messages any more.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        super().__init__(daemon=True)
        self.messages: queue.Queue[tuple[str, list[Any], bytes] | None] = queue.Queue(WAITING)
        self.stopped = threading.Event()
        self._pipe = pipe

    def run(self) -> None:
        """Read until the end, or until the first thing that is no message."""
        with self._pipe, suppress(ValueError, TypeError, IndexError, OSError):
            while line := self._pipe.readline(LONGEST_LINE):
                kind, *arguments = json.loads(line)
                size = min(int(arguments[0]), LONGEST_PAYLOAD) if kind in ("result", "error") else 0
                self._put((str(kind), arguments, self._pipe.read(size)))
        self._put(None)

    def _put(self, message: tuple[str, list[Any], bytes] | None) -> None:
        while not self.stopped.is_set():
            with suppress(queue.Full):
                self.messages.put(message, timeout=LOOK_SECONDS)
                return
