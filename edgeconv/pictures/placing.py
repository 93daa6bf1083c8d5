"""Boxes in what a model was fed, told in the picture that was given, the fit undone; and the way there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.pictures.preparation import cropped, padded
from edgeconv.preparation import Preparation


def placed_boxes(boxes: NDArray[np.float32], preparation: Preparation, size: tuple[int, ...]) -> NDArray[np.float32]:
    """Return boxes in pixels of the picture, cut off at its borders.

    Args:
        boxes: float32, (n, 4): x and y of two corners, in pixels of what the model was fed.
        preparation: of kind "resize", that made this of the picture.
        size: (height, width) of the picture.

    Example:
        >>> stretched = Preparation("resize", 32, 32, 3, fit="stretch")
        >>> placed_boxes(np.float32([[8, 8, 16, 99]]), stretched, (64, 32)).tolist()
        [[8.0, 16.0, 16.0, 64.0]]
    """
    scale, shift = _moves(preparation, size)
    return np.asarray((boxes * scale + shift).clip(0.0, [size[1], size[0]] * 2), np.float32)


def fitted_boxes(boxes: NDArray[np.float32], preparation: Preparation, size: tuple[int, ...]) -> NDArray[np.float32]:
    """Return boxes of a picture in pixels of what the model is fed, whole where that is cut; see `placed_boxes`."""
    scale, shift = _moves(preparation, size)
    return np.asarray((boxes - shift) / scale, np.float32)


def _moves(preparation: Preparation, size: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by what the numbers of a box are multiplied, and what is added, on the way back into the picture."""
    height, width = preparation.height, preparation.width
    part, whole = (0, 0, height, width), (0, 0, size[0], size[1])
    if preparation.fit == "crop":
        whole = cropped(size, height, width)
    elif preparation.fit == "pad":
        part = padded(size, height, width)
    scale = np.array([whole[3] / part[3], whole[2] / part[2]] * 2)
    return scale, np.array([whole[1], whole[0]] * 2) - np.array([part[1], part[0]] * 2) * scale
