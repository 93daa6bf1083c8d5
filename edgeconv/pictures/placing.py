"""Boxes in what a model was fed, told in the picture that was given: the fit undone."""

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
    height, width = preparation.height, preparation.width
    part, whole = (0, 0, height, width), (0, 0, size[0], size[1])
    if preparation.fit == "crop":
        whole = cropped(size, height, width)
    elif preparation.fit == "pad":
        part = padded(size, height, width)
    scale = np.array([whole[3] / part[3], whole[2] / part[2]] * 2)
    moved = (boxes - np.array([part[1], part[0]] * 2)) * scale + np.array([whole[1], whole[0]] * 2)
    return np.asarray(moved.clip(0.0, [size[1], size[0]] * 2), np.float32)
