"""A limit on the time of each call of a model that may never come to its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import onnxruntime as ort
from numpy.typing import NDArray

from edgeconv.errors import InferenceTimeoutError

GRACE_S = 5.0
"""How long a call that is told to stop may take to do so: ONNX Runtime looks between one operator and the next."""

_TICK_S = 1.0
_IDLE_TICKS = 10


class LimitedSession:
    """ONNX Runtime's own session, each call of which is stopped where it takes too long.

    Args:
        options: of the session; its opening is stopped by them.
        make: opens the session.
        seconds: that the opening and each call may take.

    Raises:
        InferenceTimeoutError: opening the model takes too long.
    """

    def __init__(self, options: Any, make: Callable[[], Any], seconds: float) -> None:
        self._limit = _TimeLimit(seconds)
        # Releases of ONNX Runtime before 1.21 cannot be told.
        tell = getattr(options, "set_load_cancellation_flag", lambda _: None)
        with self._limit.watching(lambda: tell(True)):
            self._session = make()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, outputs: Sequence[str] | None, feeds: Mapping[str, NDArray[Any]], options: Any = None) -> Any:
        """Return these outputs.

        Raises:
            InferenceTimeoutError: the call takes too long.
        """
        options = options or ort.RunOptions()
        with self._limit.watching(lambda: setattr(options, "terminate", True)):
            return self._session.run(outputs, feeds, options)


class _TimeLimit:
    """Stops what takes too long. A thread watches while there are calls, and ends some seconds after the last one.

    A single operator cannot be stopped. Where a call goes on for `GRACE_S` all the same, the thread ends with an
    InferenceTimeoutError, which `threading.excepthook` gets to see: the command line ends its process there.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: dict[_Call, float] = {}
        self._watcher: threading.Thread | None = None

    @contextmanager
    def watching(self, stop: Callable[[], object]) -> Iterator[None]:
        """Call `stop` where the block takes too long, and raise InferenceTimeoutError where that ends it."""
        call = _Call(stop)
        self._calls[call] = time.monotonic() + self._seconds
        if self._watcher is None or not self._watcher.is_alive():  # In a process that was forked it is dead, too.
            self._watcher = threading.Thread(target=self._watch, name="edgeconv time limit", daemon=True)
            self._watcher.start()
        try:
            yield
        except Exception as error:
            if call.told:
                raise InferenceTimeoutError(self._words("one that was stopped")) from error
            raise
        finally:
            self._calls.pop(call, None)

    def _watch(self) -> None:
        idle = 0
        while idle <= _IDLE_TICKS or not self._ended():
            idle = 0 if self._calls else idle + 1
            time.sleep(max(0.001, min(self._seconds, _TICK_S, self._look())))

    def _ended(self) -> bool:
        """End the watch, unless a call begins just now: it is noted before its thread looks for the watcher."""
        self._watcher = None
        return not self._calls

    def _look(self) -> float:
        """Stop what is due, and return for how many seconds nothing else will be."""
        now, wait = time.monotonic(), self._seconds
        for call, deadline in list(self._calls.items()):
            if call.told and now > deadline + GRACE_S:
                self._calls.pop(call, None)
                raise InferenceTimeoutError(self._words("one that cannot be stopped, in an operator that goes on"))
            if not call.told and now > deadline:
                call.told = True
                call.stop()
            wait = min(wait, deadline + GRACE_S * call.told - now)
        return wait

    def _words(self, received: str) -> str:
        return (
            f"A call of this model must end within {self._seconds:g} seconds. Received: {received}. Allow more with "
            "`timeout`, or `--timeout` on the command line; inf is no limit."
        )


class _Call:
    """What is watched: how it is told to stop, and whether it was told."""

    def __init__(self, stop: Callable[[], object]) -> None:
        self.stop = stop
        self.told = False
