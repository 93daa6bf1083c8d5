"""Runs a function in a separate process: starts it, reads its messages, and always ends it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, TypeVar, cast

from edgeconv.conversion.isolation.child_progress import Relay
from edgeconv.conversion.isolation.error_messages import error_from_dict
from edgeconv.conversion.isolation.exit_errors import died, out_of_memory, out_of_time
from edgeconv.conversion.isolation.limits import Limits
from edgeconv.conversion.isolation.listening import LOOK_SECONDS, Listener
from edgeconv.errors import ArtifactError, ConversionError
from edgeconv.progress import Progress

T = TypeVar("T")

CHILD = Path(__file__).with_name("child.py")


class ChildTraceback(Exception):  # noqa: N818 - no error, but where one came from.
    """Where in the child process an error was raised: the cause of the error that the caller gets."""

    def __str__(self) -> str:
        """Return the traceback, as text."""
        return f"\n{self.args[0]}"


def run_isolated(
    function: Callable[..., Any],
    /,
    *args: Any,
    limits: Limits | None = None,
    progress: Progress | None = None,
    read: Callable[[Any], Any] | None = None,
    what: str,
) -> Any:
    """Call a function in a child process with limits on its memory and time.

    The child has the caller's `sys.path`, working directory, environment and stderr; what it prints goes to stderr,
    and its standard input is empty. Its temporary files lie in a folder that is removed with it. It ends with the call,
    with the caller, and with the caller's Ctrl-C; processes that it starts end with it, unless they leave its process
    group.

    Args:
        function: of a module that can be imported, by name; not of `__main__`.
        *args: for it, as JSON has them: plain values; a path arrives as a string.
        limits: on memory and time; None takes the defaults.
        progress: hears of each step; given to the function as its argument `progress`, unless it is None.
        read: turns the function's answer, as JSON has it, into the result; an answer that it cannot read is an error.
        what: the work, as the start of a sentence, such as ``"Converting `model.keras`"``.

    Returns:
        What the function returns, as JSON has it: plain values, or the result of `read`. All else the child
        leaves in files.

    Raises:
        ConversionError: the child needed more than its limits, died, or answered something else.
        EdgeconvError: what the function raised, of the same class; a `ParityError` with its ledger.
        OSError: what the function raised.
        RuntimeError: the function raised anything else; the message is the traceback of the child.

    Example:
        >>> run_isolated(len, [1, 2, 3], what="Counting")
        3
    """
    limits = limits or Limits()
    request = _request(function, args, limits, listened_to=progress is not None)
    # A child is killed, and tidies nothing up: neither its own files nor those that TensorFlow removes as it exits.
    scratch = TemporaryDirectory(prefix="edgeconv-", ignore_cleanup_errors=True)
    # A session of its own: the terminal's Ctrl-C is the caller's to deal with, and one signal ends the whole group.
    process = subprocess.Popen(
        [sys.executable, "-P", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "TMPDIR": scratch.name},
    )
    listener = Listener(cast(BinaryIO, process.stdout))
    try:
        listener.start()
        with suppress(BrokenPipeError):  # It is dead already; the listener will know.
            cast(BinaryIO, process.stdin).write(request)
            cast(BinaryIO, process.stdin).flush()
        payload = _outcome(process, listener, limits, progress, what)
        return _received(lambda data: (read or _as_it_is)(json.loads(data)), payload, what)
    finally:
        listener.stopped.set()
        _end(process)
        scratch.cleanup()


def _request(function: Callable[..., Any], args: tuple[Any, ...], limits: Limits, *, listened_to: bool) -> bytes:
    module, name = function.__module__, function.__qualname__
    if module == "__main__" or getattr(sys.modules.get(module), name, None) is not function:
        raise ValueError(
            f"`function` must be found by its name in a module that can be imported. Received: {module}.{name}. Move "
            "it to the top level of such a module."
        )
    call = {"module": module, "name": name, "args": args, "listened_to": listened_to}
    request = {"path": sys.path, "memory_bytes": limits.bytes_in_force, **call}
    return json.dumps(request, default=os.fspath).encode() + b"\n"


def _outcome(
    process: subprocess.Popen[bytes], listener: Listener, limits: Limits, progress: Progress | None, what: str
) -> bytes:
    """Pass on what the child tells until it gives its answer, and return that, JSON, or raise it."""
    deadline, dead, traceback = time.monotonic() + limits.seconds, False, ""
    with Relay(progress) as relay:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise out_of_time(what, limits)
            try:
                message = listener.messages.get(timeout=min(left, LOOK_SECONDS))
            except queue.Empty:
                if dead:  # A process that it has started holds the pipe open.
                    raise died(what, _end(process), limits) from None
                dead = process.poll() is not None
                continue
            if message is None:
                raise died(what, _end(process), limits)
            kind, arguments, payload = message
            if kind == "result":
                return payload
            if kind == "error":
                error = _received(lambda data: error_from_dict(json.loads(data)), payload, what)
                raise error from ChildTraceback(traceback)
            if kind == "memory":
                raise out_of_memory(what, limits)
            if kind == "bug":
                raise RuntimeError(f"{what} failed in its process:\n{arguments[1]}")
            if kind == "traceback":
                traceback = str(arguments[0])
            else:
                relay.pass_on(kind, arguments)


def _as_it_is(answer: Any) -> Any:
    return answer


def _received(read: Callable[[bytes], T], payload: bytes, what: str) -> T:
    try:
        return read(payload)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError, ArtifactError) as error:
        raise ConversionError(
            f"{what} must end with an answer. Received: something else from its process. Do not trust the model that "
            "it read."
        ) from error


def _end(process: subprocess.Popen[bytes]) -> int:
    """End a process and all of its group, and return its code: its own if it had ended before."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    code = process.wait()
    with suppress(OSError):
        cast(BinaryIO, process.stdin).close()
    return code
