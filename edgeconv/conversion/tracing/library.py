"""TensorFlow's library, a gigabyte, takes a third of a second to be linked: in a thread, while Python is at work."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from edgeconv.quiet import native_log_held_back

LIBRARY = "libtensorflow_cc.so.*"
"""Its name on Linux; elsewhere it is left to the import, as is what is wrong with it."""


@contextmanager
def tensorflow_opened() -> Iterator[None]:
    """Open TensorFlow's library, where it is installed, while the block imports what needs none of it."""
    spec = None if "tensorflow" in sys.modules else find_spec("tensorflow")
    libraries = [] if spec is None or spec.origin is None else sorted(Path(spec.origin).parent.glob(LIBRARY))
    if not libraries:
        yield
        return
    with native_log_held_back():
        opening = Thread(target=_open, args=(libraries[0],))
        opening.start()
        try:
            yield
        finally:
            opening.join()


def _open(library: Path) -> None:
    # By C's own function, since Python's lock is held while `ctypes.CDLL(library)` works.
    ctypes.CDLL(None).dlopen(os.fsencode(library), os.RTLD_NOW)
