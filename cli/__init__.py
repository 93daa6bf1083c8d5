"""The command line; importing it makes Ctrl-C end the process at once while the rest of it is imported."""

from __future__ import annotations

import os
import sys
from types import TracebackType

INTERRUPTED = 130
"""Exit code of what Ctrl-C ended, as shells have it."""


def _end_at_once(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        os._exit(INTERRUPTED)
    sys.__excepthook__(kind, error, traceback)


sys.excepthook = _end_at_once
