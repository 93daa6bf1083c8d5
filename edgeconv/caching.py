"""Where what took long to make is kept, to be made once: folders that may be deleted at any time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CACHE_VARIABLE = "EDGECONV_CACHE"


def cache_folder(kind: str) -> Path:
    """Return the folder of one kind of things that are kept; it may not exist yet.

    Args:
        kind: its name below $EDGECONV_CACHE, or below `edgeconv` in the user's own cache where that is not set.

    Example:
        >>> cache_folder("calibration").name
        'calibration'
    """
    named = os.environ.get(CACHE_VARIABLE)
    # The specification of the cache folder: a relative path is to be ignored (XDG Base Directory, 0.8).
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        if named:
            return Path(named).expanduser().resolve() / kind
        return (cache if cache.is_absolute() else Path.home() / ".cache") / "edgeconv" / kind
    except RuntimeError:  # Nobody knows this user's home.
        return Path(os.devnull) / kind


@contextmanager
def kept_if_possible() -> Iterator[None]:
    """Write into a cache folder; a full disk, or a home that may not be written to, costs time and nothing else."""
    with suppress(OSError):
        yield
