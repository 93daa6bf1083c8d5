"""Memory that several threads share while they decode pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition

_KEPT = 50_000_000
"""Bytes that a thread took and let go of, from which on they go back to the system at once."""


class Room:
    """So many bytes, of which each thread claims what its picture takes, and waits where others have them.

    Args:
        total: bytes; who claims more than that gets all of them.
    """

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._changed = Condition()

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """Give what claims some bytes once it knows how many, and let go of them at the end of the block."""
        held = 0

        def claim(size: int) -> None:
            nonlocal held
            more = min(size, self._total) - held
            if more > 0:
                with self._changed:
                    while self._free < more:
                        self._changed.wait()
                    self._free -= more
                held += more

        try:
            yield claim
        finally:
            if held > _KEPT:
                _return_freed_memory()
            if held:
                with self._changed:
                    self._free += held
                    self._changed.notify_all()


def _return_freed_memory() -> None:
    """Give back to the system what glibc keeps for the thread that freed it: another one cannot use it."""
    import ctypes

    with suppress(AttributeError, OSError, TypeError):  # It is glibc's alone; Windows has no library without a name.
        ctypes.CDLL(None).malloc_trim(0)
