"""Arrays, read as the model takes them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from .contract import INPUTS, Arrays, InputError, in_words


def feed(source: Arrays | str | Path) -> Arrays:
    """Return what the model takes.

    Args:
        source: arrays by the names of the inputs; or an .npz file of them; or, of a
            model with one input, an .npy file.

    Raises:
        InputError: there is no such file, or an input is missing in it.
    """
    arrays = source if isinstance(source, dict) else _read(Path(source))
    if set(arrays) != set(INPUTS):
        received = ", ".join(arrays) or "none"
        wanted = ", ".join(INPUTS)
        raise InputError(f"arrays named {wanted} are required, not {received}")
    return arrays


def _read(path: Path) -> Arrays:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {INPUTS[0]: loaded}
        with loaded:
            return dict(loaded)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or in_words(error)
        raise InputError(f"cannot be read: {reason}") from error
