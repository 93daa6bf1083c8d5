"""Work for a child process in the tests of isolation, where it can be imported by name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeconv.errors import ConversionError, EdgeconvError, ParityError
from edgeconv.progress import Progress


def tell(progress: Progress) -> int:
    print("print goes to stderr")
    progress.say("first")
    with progress.bar("steps", 3) as advance:
        advance(1, "one")
        advance(2, "three")
    progress.say("last")
    return os.getpid()


def leave_a_bar_open(progress: Progress) -> None:
    progress.bar("steps", None).__enter__()


def ask() -> str:
    return sys.stdin.read()


def whereabouts() -> tuple[Path, list[str], list[str]]:
    return Path.cwd(), sys.path, sorted({"tensorflow", "keras", "onnx"} & set(sys.modules))


def echo(value: Any) -> Any:
    return value


def fail(ledger: Any) -> None:
    raise ParityError("`m` must keep its answers. Received: 7 flips.", ledger)


def open_nothing() -> None:
    Path("nothing.here").read_bytes()


def blunder() -> None:
    raise ZeroDivisionError("a bug of ours")


def wrap_memory_error() -> None:
    try:
        raise MemoryError
    except MemoryError as error:
        raise ConversionError("`m` must load. Received: MemoryError.") from error


def fill(size_bytes: int) -> int:
    return len(b"\1" * size_bytes)


def leave_a_child(note: Path, seconds: float) -> None:
    """Start a process that holds every pipe open, and die."""
    child = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({seconds})"], close_fds=False)
    note.write_text(str(child.pid))
    os._exit(3)


def sleep(note: Path, seconds: float) -> None:
    note.write_text(str(os.getpid()))
    time.sleep(seconds)


def hold_the_lock(note: Path, letters: int) -> None:
    """Stay in native code that never lets another thread of Python's run."""
    note.write_text(str(os.getpid()))
    re.match("(a+)+$", "a" * letters + "b")


def load_one(path: Path) -> None:
    from edgeconv.conversion.keras import load_keras

    load_keras(path)


def load_each(paths: Sequence[Path]) -> list[str]:
    """Load Keras models one after the other; return what each said, or that it was loaded."""
    answers = []
    for path in paths:
        try:
            load_one(path)
        except EdgeconvError as error:
            answers.append(f"{type(error).__name__}: {error}")
        else:
            answers.append("loaded")
    return answers
