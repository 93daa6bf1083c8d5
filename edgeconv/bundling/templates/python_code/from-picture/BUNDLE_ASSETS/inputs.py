"""Pictures, as the model takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .contract import INPUTS, Arrays, InputError
from .pictures import read_picture
from .pixels import Picture


def feed(source: Picture | str | Path | bytes) -> Arrays:
    """Return what the model takes of a picture.

    Args:
        source: a file, its bytes, or pixels: uint8, (height, width, channels), 0-255,
            of any size; 1 channel is grey, 3 are RGB, 4 RGB and straight alpha.

    Raises:
        InputError: it is no such picture.
    """
    picture = source if isinstance(source, np.ndarray) else read_picture(source)
    if picture.dtype != np.uint8 or picture.ndim != 3 or not picture.size:
        raise InputError(
            "pixels must be uint8 (height, width, channels), "
            f"not {picture.dtype} {picture.shape}"
        )
    if picture.shape[2] not in (1, 3, 4):
        raise InputError(f"1, 3 or 4 channels are read, not {picture.shape[2]}")
    return {INPUTS[0]: picture}
