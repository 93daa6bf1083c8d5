"""Third parties that talk to the log while they work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def errors_only(logger_name: str | None) -> Iterator[None]:
    """Let a logger (None: the root) pass errors only while the block runs: its advice is not for edgeconv's user."""
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
