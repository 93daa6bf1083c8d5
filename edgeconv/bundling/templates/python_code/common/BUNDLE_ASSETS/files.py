"""Files of strangers: none is waited for, and none is read without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 2**29


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file of at most MOST_BYTES.

    Raises:
        OSError: it is absent, unreadable, too long, or no regular file.
    """
    require_regular(path)
    size = os.stat(path).st_size
    if size > MOST_BYTES:
        words = f"{size / 1e6:,.0f} MB, more than {MOST_BYTES / 1e6:,.0f} MB"
        raise OSError(errno.EFBIG, words)
    return open(path, "rb")


def require_regular(path: str | Path) -> None:
    """Raise OSError for a pipe or a device, whose reading may never end."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "a pipe or a device")
