"""The program of a child process: read a request, set the limits, call the function, send what came of it.

Run by its path, so that the working directory does not come first on `sys.path`, where a file beside a model could
take the place of a module.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from edgeconv.conversion.isolation.child_progress import ProgressSender

MEMORY_ERRORS = {"MemoryError", "ResourceExhaustedError", "KeyboardInterrupt"}
"""Classes by which Python and numpy, TensorFlow, and OpenBLAS say that there is no memory.

OpenBLAS sends itself SIGINT when it cannot start its threads; no Ctrl-C reaches a process of a session of its own.
"""

MEMORY_WORDS = (
    "bad_alloc",
    "bad allocation",
    "failed to allocate memory",
    "cannot allocate memory",
    "std::length_error",
)
"""What ONNX Runtime and others write into errors of a general class."""

PR_SET_PDEATHSIG = 1
"""Of Linux' `prctl`: which signal a process gets when its parent dies."""


def main() -> None:
    """Serve one request: a line of JSON with the paths, the limit and the call."""
    request, pipe = _own_pipes()
    _die_with_parent()
    call = json.loads(request.readline())
    sys.path[:] = call["path"]

    from edgeconv.conversion.isolation.child_progress import ProgressSender
    from edgeconv.memory import limit_memory

    threading.Thread(target=_end_with_pipe, args=(request,), daemon=True).start()
    limit_memory(call["memory_bytes"])
    _answer(ProgressSender(pipe), call)
    os._exit(0)  # Taking TensorFlow down takes time, and sometimes crashes.


def _answer(sender: ProgressSender, call: dict[str, Any]) -> None:
    from edgeconv.conversion.isolation.error_messages import error_as_dict
    from edgeconv.errors import EdgeconvError

    try:
        try:
            kind, payload = "result", json.dumps(_called(sender, call))
        except (EdgeconvError, OSError) as error:
            if _is_of_memory(error):
                raise
            sender.send("traceback", traceback.format_exc())
            kind, payload = "error", json.dumps(error_as_dict(error), default=os.fsdecode)
    except BaseException as error:  # Whatever it is, the parent is to know.
        if _is_of_memory(error):
            sender.send("memory", 0)
        else:
            sender.send("bug", 0, traceback.format_exc())
        return
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    sender.send(kind, len(payload), payload=payload.encode())


def _called(sender: ProgressSender, call: dict[str, Any]) -> Any:
    function = getattr(importlib.import_module(call["module"]), call["name"])
    listened_to = {"progress": sender} if call["listened_to"] else {}
    return function(*call["args"], **listened_to)


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes off standard input and output: what is printed goes to stderr, and there is nothing to read."""
    request, pipe = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return request, pipe


def _die_with_parent() -> None:
    """Ask Linux to kill this process with its parent, even while native code holds Python's lock."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with_pipe(request: BinaryIO) -> None:
    """End when the parent closes its end of the pipe, or dies: on every platform."""
    with suppress(OSError):
        request.read(1)
    os._exit(1)


def _is_of_memory(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it came of, says that there is no memory."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if MEMORY_ERRORS & {base.__name__ for base in type(error).__mro__}:
            return True
        if any(words in str(error).lower() for words in MEMORY_WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


if __name__ == "__main__":
    main()
