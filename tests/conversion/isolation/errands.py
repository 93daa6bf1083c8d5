"""Work for a child process in the tests of isolation, where it can be imported by name."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeconv.errors import ConversionError, EdgeconvError, ParityError
from edgeconv.parity.ledger import Ledger
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


def whereabouts() -> tuple[str, list[str], list[str]]:
    return str(Path.cwd()), sys.path, sorted({"tensorflow", "keras", "onnx"} & set(sys.modules))


def echo(value: Any) -> Any:
    return value


def fail(ledger: dict[str, Any]) -> None:
    raise ParityError("`m` must keep its answers. Received: 7 flips.", Ledger.from_dict(ledger))


def answer_a_set() -> set[int]:
    return {1, 2}


def no_json() -> None:
    """Answer as a child does whose native code was taken over."""
    _answer(b'["result", 3]\n{"a')


def a_foreign_error() -> None:
    _answer(b'["error", 20]\n{"class": "require"}')


def answer_nothing(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    return {}


def answer_a_word(request: dict[str, Any], progress: Progress) -> str:
    return "done"


def answer_a_foreign_folder(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    return {"path": "/", "explanation": None}


def answer_a_foreign_table(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    return {"path": "/", "explanation": {"variants": ["fp32"], "layers": [{}]}}


def a_broken_ledger() -> None:
    _answer(b'["error", 37]\n{"class": "ParityError", "ledger": 1}')


def _answer(message: bytes) -> None:
    # The pipe has the lowest number but those of standard streams and of the request.
    os.write(4, message)
    os._exit(0)


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


def leave_a_child(note: str, seconds: float) -> None:
    """Start a process that holds every pipe open, and die."""
    child = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({seconds})"], close_fds=False)
    Path(note).write_text(str(child.pid))
    os._exit(3)


def sleep(note: str, seconds: float) -> None:
    Path(note).write_text(str(os.getpid()))
    time.sleep(seconds)


def hold_the_lock(note: str, letters: int) -> None:
    """Stay in native code that never lets another thread of Python's run."""
    Path(note).write_text(str(os.getpid()))
    re.match("(a+)+$", "a" * letters + "b")


def load_one(path: str) -> None:
    from edgeconv.conversion.keras import load_keras

    load_keras(Path(path))


def load_each(paths: Sequence[str]) -> list[str]:
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


def litter(note: str) -> None:
    """Leave a temporary file that only an exit of this process would remove, write where it lies, and be killed."""
    with tempfile.NamedTemporaryFile(delete=False) as left:
        Path(note).write_text(left.name)
    os.kill(os.getpid(), signal.SIGKILL)
