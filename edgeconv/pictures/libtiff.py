"""Keeps off stderr what Pillow's libtiff writes there: an error says what is wrong.

Pillow turns off libtiff's warnings and not its errors: `TIFFSetWarningHandler` alone, in
src/libImaging/TiffDecode.c. To be removed once it turns off both. Bundles in Python carry
this file as it is, so it imports the standard library alone.
"""

from __future__ import annotations

import ctypes
import logging
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path

_MAPS = Path("/proc/self/maps")
"""Linux' list of the files that this process has mapped; its last column is paths."""


@cache
def silence() -> None:
    """Turn off the messages of Pillow's libtiff, on Linux, and Pillow's warnings."""
    # An app's own filters come first.
    warnings.filterwarnings("ignore", module=r"PIL\.", append=True)
    # Without a handler Python writes logged errors on stderr; an app's still get them.
    logging.getLogger("PIL.TiffImagePlugin").addHandler(logging.NullHandler())
    with suppress(OSError, AttributeError):
        maps = _MAPS.read_text(encoding="utf-8", errors="surrogateescape")
        lines = [line for line in maps.splitlines() if "/libtiff" in line]
        for path in {line.split(maxsplit=5)[-1] for line in lines}:
            ctypes.CDLL(path).TIFFSetErrorHandler(None)
