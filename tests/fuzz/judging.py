"""Is what became of one file all right? An answer is, and an error of ours of one line; nothing else is."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from edgeconv.errors import EdgeconvError

MOST_SECONDS = 20.0
"""Time for one file: thousands of times what a sound one takes, so that a busy machine is none of the findings."""

MOST_BYTES = 500 << 20
"""Memory for one file, beside what the process had."""

Look = Callable[[Path], object]
"""What reads a file."""


class FindingError(Exception):
    """A file that was dealt with otherwise than it should be.

    Attributes:
        kind: in few words, the same for each file that ends so at this place.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class _SlowError(BaseException):
    """Raised in the middle of whatever takes too long; no `except Exception` swallows it."""


def judge(
    look: Look,
    path: Path,
    *,
    errors: tuple[type[Exception], ...] = (EdgeconvError,),
    seconds: float = MOST_SECONDS,
    process: int | None = None,
) -> bool:
    """Let a file be read; return whether that gave an answer, and not an error of ours.

    Args:
        look: reads it.
        path: of the file.
        errors: that are ours.
        seconds: that it may take.
        process: whose memory counts; None for this one.

    Raises:
        FindingError: it ended otherwise, took too long, or took too much memory.
    """
    before = _restart_peak(process)
    answered = False
    try:
        with _limited(seconds):
            look(path)
        answered = True
    except errors as error:
        if len(str(error).splitlines()) != 1:
            raise FindingError("an error that is not one line", repr(str(error)[:200])) from error
    except _SlowError as error:
        raise FindingError(f"{_place(error)}: takes long", f"more than {seconds:g} s") from error
    except Exception as error:
        raise FindingError(f"{_place(error)}: {type(error).__name__}", str(error)[:200]) from error
    taken = _peak(process) - before
    if taken > MOST_BYTES:
        raise FindingError("takes much memory", f"{taken / 1e6:,.0f} MB")
    return answered


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise _SlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_OURS = tuple(str(Path(__file__).parents[2] / folder) for folder in ("edgeconv", "tests"))


def _place(error: BaseException) -> str:
    """Return the innermost place of ours that an error came through."""
    place, trace = "nowhere", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(_OURS) and file != __file__:
            place = f"{Path(file).name} {trace.tb_frame.f_code.co_name}"
        trace = trace.tb_next
    return place


def _restart_peak(process: int | None) -> int:
    """Return the memory that a process has now, in bytes, and let its peak begin there."""
    folder = Path("/proc") / str(process or os.getpid())
    (folder / "clear_refs").write_text("5")  # Linux, proc(5)
    return _status(folder, "VmRSS")


def _peak(process: int | None) -> int:
    return _status(Path("/proc") / str(process or os.getpid()), "VmHWM")


def _status(folder: Path, key: str) -> int:
    line = next(line for line in (folder / "status").read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) << 10
