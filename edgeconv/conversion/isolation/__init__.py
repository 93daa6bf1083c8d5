"""Runs work on untrusted files in a separate process with limits.

caller --request--> child process: limits set, function called
caller <--words, bars, then the result or the error-- child process

running         starts the child, waits, ends it    limits          memory and time
child           the program of the process          exit_errors     what a child that gave no answer died of
listening       the messages of the child           error_messages  errors through the pipe
child_progress  words and bars through the pipe

All that goes through the pipe is JSON: a request, a result and an error can be nothing but data.
"""

from edgeconv.conversion.isolation.limits import Limits
from edgeconv.conversion.isolation.running import run_isolated

__all__ = ["Limits", "run_isolated"]
