"""Arrays, read as the model takes them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .contract import INPUTS, Arrays, InputError, in_words
from .files import open_regular

# An archive that holds more than this, and more than its own size, is a bomb.
MOST_UNPACKED = 400_000_000


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
        with open_regular(path) as file:
            _check_unpacked(file)
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {INPUTS[0]: loaded}
            with loaded:
                return dict(loaded)
    except Exception as error:  # damaged bytes make numpy and zipfile fail in every way
        reason = getattr(error, "strerror", None) or in_words(error)
        raise InputError(f"cannot be read: {reason}") from error


def _check_unpacked(file: BinaryIO) -> None:
    size = file.seek(0, 2)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > max(MOST_UNPACKED, size):
            raise ValueError(f"{unpacked / 1e6:,.0f} MB when unpacked, too large")
    file.seek(0)
