"""Third parties that talk while they work, kept off a terminal where they would only alarm."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
"""TensorFlow's variable: 0 shows everything, 3 nothing. It is read once, when TensorFlow is imported."""


@contextmanager
def native_log_held_back() -> Iterator[None]:
    """Hold back what native code writes to stderr; when the block raises, it is written after all.

    Until its log is set up TensorFlow 2.21 writes to stderr whatever the level, and asking a machine without a GPU
    for its GPUs logs an error. Whoever sets the level below 2 wants to see it, and does.
    """
    if os.environ.setdefault(LEVEL, "2") < "2":
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)


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
