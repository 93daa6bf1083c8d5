"""The `edgeconv` command: its subcommands, its exit codes."""

from __future__ import annotations

import codecs
import errno
import gc
import importlib
import os
import sys
import threading
import warnings
from typing import Any

import click

from . import INTERRUPTED

COMMANDS = ("train", "export", "predict", "evaluate", "benchmark", "inspect", "doctor", "bundle", "serve")
"""In the order in which a model goes through them; each is the `command` of the module of its name."""

_SHOW = warnings.showwarning

GATE_FAILED = 3
USAGE = 2
FAILED = 1


OUT_OF_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", None)}
"""A full disk, a limit of `ulimit -f`, a quota: they come without the name of the file."""


class EdgeconvGroup(click.Group):
    """Opens a command's module when it is asked for, and turns our errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None where there is none of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f".{cmd_name}", __package__).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command: 0 done, 1 an error of ours, 2 usage, 3 a gate failed, 130 interrupted."""
        from edgeconv.errors import ConfigError, EdgeconvError, ParityError

        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except (EdgeconvError, OSError, MemoryError) as error:
            if ctx.params["debug"] or not _is_for_users(error):
                raise
            from .output import say

            say(f"Error: {_words(error)}")
            ctx.exit(
                GATE_FAILED if isinstance(error, ParityError) else USAGE if isinstance(error, ConfigError) else FAILED
            )


def _is_for_users(error: Exception) -> bool:
    """Tell what a user can mend, a name or a full disk, from a bug, which keeps its traceback."""
    return not isinstance(error, OSError) or error.filename is not None or error.errno in OUT_OF_SPACE


def _words(error: Exception) -> str:
    """Return what a user is told of an error, with what to do where the system's own words leave it out."""
    if isinstance(error, OSError) and error.errno in OUT_OF_SPACE - ({errno.EFBIG} if error.filename else set()):
        return f"{error}. Make room, or write elsewhere: what was there is as it was."
    if isinstance(error, MemoryError):
        from edgeconv.errors import one_line

        return f"Enough memory is required. Received: {one_line(error)}. Give less at once, or end other programs."
    return str(error)


@click.group(cls=EdgeconvGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="edgeconv", prog_name="edgeconv", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Take a Keras network to a device, and lose nothing on the way.

    \b
    edgeconv train                    a convnet that reads digits
    edgeconv export --quantize        verified ONNX, fp32 and int8
    edgeconv predict image.png        the answer
    """
    del debug


def main() -> None:
    """Run the command line."""
    # Importing makes many objects and no garbage; by default Python looks for some after each 700.
    gc.set_threshold(50_000, *gc.get_threshold()[1:])
    _fill_closed_streams()
    codecs.register_error("edgeconv", _written_somehow)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="edgeconv")
    warnings.showwarning = _show_warning
    threading.excepthook = _end_what_cannot_be_stopped
    try:
        cli()
    finally:
        # Python ends with a search for garbage in all that was imported, and the process takes it along anyway.
        gc.freeze()


def _end_what_cannot_be_stopped(failed: threading.ExceptHookArgs) -> None:
    """End the process where a call of a model goes on beyond its limit, which the thread that watches it finds out."""
    from edgeconv.errors import InferenceTimeoutError

    if not isinstance(failed.exc_value, InferenceTimeoutError):
        threading.__excepthook__(failed)
        return
    from .output import say

    say(f"Error: {failed.exc_value}")
    sys.stdout.flush()
    os._exit(FAILED)  # The main thread is inside of ONNX Runtime and hears of nothing.


def _fill_closed_streams() -> None:
    """Open the null device for each of stdin, stdout and stderr that is closed: else the next file gets its place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # The lowest number that is free.
            if name != "stdin":
                setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115 - for as long as we live


def _written_somehow(error: UnicodeError) -> tuple[bytes, int]:
    """Write the bytes of a file's name as they are, and a question mark for what a console, as of Windows, lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    escaped = (bytes([ord(letter) - 0xDC00]) if "\udc80" <= letter <= "\udcff" else b"?" for letter in letters)
    return b"".join(escaped), error.end


def _show_warning(message: Any, category: type[Warning], filename: str, *where: Any, **more: Any) -> None:
    """Show a warning of ours in one line, and any other as Python does; but none of Pillow's of damaged pictures."""
    if category.__name__ == "EdgeconvWarning":  # By its name: a command may never have loaded it.
        from .output import say

        say(f"Warning: {message}")
    elif f"{os.sep}PIL{os.sep}" not in filename:  # What it warns of is an error where it matters.
        _SHOW(message, category, filename, *where, **more)
