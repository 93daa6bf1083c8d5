"""What Pillow's libtiff writes on stderr about damaged pictures is left out: an ImageError says what is wrong.

Pillow turns off libtiff's warnings, and not its errors (`TIFFSetWarningHandler` alone in src/libImaging/TiffDecode.c).
To be removed once it turns off both.
"""

from __future__ import annotations

import ctypes
import logging
from contextlib import suppress
from functools import cache
from pathlib import Path

_MAPS = Path("/proc/self/maps")
"""Linux' list of the files that this process has mapped; its last column is their paths."""


@cache
def silence() -> None:
    """Turn off the messages of the libtiff that Pillow brought, on Linux, and of Pillow's own reader of TIFF files."""
    # Without a handler Python writes errors that are logged on stderr; those of the app, if it has any, still get them.
    logging.getLogger("PIL.TiffImagePlugin").addHandler(logging.NullHandler())
    with suppress(OSError, AttributeError):
        lines = _MAPS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        for path in {line.split(maxsplit=5)[-1] for line in lines if "/libtiff" in line}:
            ctypes.CDLL(path).TIFFSetErrorHandler(None)
