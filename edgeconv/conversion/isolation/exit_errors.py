"""What became of a child process that gave no answer, in one line."""

from __future__ import annotations

import signal

from edgeconv.conversion.isolation.limits import Limits
from edgeconv.errors import ConversionError
from edgeconv.formatting import format_size

REPORT = "Report it, with the model."


def out_of_memory(what: str, limits: Limits) -> ConversionError:
    """Return the error of work that needs more memory than the limit."""
    size = format_size(limits.bytes_in_force)
    return ConversionError(
        f"{what} must fit into {size} of memory. Received: it needs more than {size}. Allow more with "
        "`--max-memory-gb`, or use a machine with more memory."
    )


def out_of_time(what: str, limits: Limits) -> ConversionError:
    """Return the error of work that was stopped at its time limit."""
    return ConversionError(
        f"{what} must end within {limits.seconds:,.0f} s. Received: it was still at work, and was stopped. Allow "
        "more with `--max-minutes`."
    )


def died(what: str, return_code: int, limits: Limits) -> ConversionError:
    """Return the error of a process that ended without an answer.

    Args:
        what: the work, at the start of the sentence.
        return_code: as `subprocess` has it: -N for the signal N.
        limits: that the process had.
    """
    if return_code >= 0:
        received, advice = f"its process ended with exit code {return_code} and without one", REPORT
    else:
        name = signal.Signals(-return_code).name if -return_code in signal.valid_signals() else str(-return_code)
        received, advice = f"its process crashed ({name}), a fault in native code", REPORT
        if name == "SIGKILL":
            received = f"its process was killed by {name}, most likely because the system ran out of memory"
            advice = "Close other programs, or use a machine with more memory."
        elif name == "SIGABRT":
            size = format_size(limits.bytes_in_force)
            received = f"its process aborted ({name}), as native code does when it gets no memory, here {size}"
            advice = f"Use a machine with more memory; if that is not it: {REPORT.lower()}"
        elif name == "SIGTERM":
            received, advice = f"its process was ended by {name}", "Start it again."
    return ConversionError(f"{what} must end with an answer. Received: {received}. {advice}")
