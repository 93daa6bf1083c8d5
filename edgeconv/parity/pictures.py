"""Evaluation images shown as pictures, to stages that prepare pictures themselves.

Datasets hold images that are prepared already, and no preparation can be undone: so each image is drawn into a picture,
and the reference is given the same pictures, prepared with numpy.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError
from edgeconv.parity.comparison import Batch, ComparisonSet
from edgeconv.pictures.drawing import show_images
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation

MOST_PICTURES = 500
MOST_BYTES = 2**28
"""Of all pictures together, which are held in memory: at most so many are drawn."""


def show(compared: ComparisonSet, preparation: Preparation) -> tuple[ComparisonSet, ComparisonSet]:
    """Return the first images of a set as pictures of several sizes, and the same pictures prepared with numpy.

    Args:
        compared: images that classes are compared on.
        preparation: what makes such images of pictures.
    """
    images = np.asarray(compared.images, np.uint8)
    pictures: list[NDArray[np.uint8]] = []
    prepared: list[NDArray[np.uint8]] = []
    total = 0
    for picture in show_images(images[:MOST_PICTURES], preparation):
        total += picture.nbytes
        if pictures and total > MOST_BYTES:
            break
        pictures.append(picture)
        prepared.append(_prepared(picture, preparation))
    shown = np.empty(len(pictures), object)  # An array of pictures, each of its own size.
    shown[:] = pictures
    first = compared.first(len(pictures))
    return (
        replace(first, batches=(Batch({"image": shown}),)),
        replace(first, batches=(Batch({"image": np.stack(prepared)}),)),
    )


def _prepared(picture: NDArray[np.uint8], preparation: Preparation) -> NDArray[np.uint8]:
    try:
        return prepare(picture, preparation)
    except ImageError:  # The image is blank, as its picture is.
        return np.zeros((preparation.height, preparation.width, preparation.channels), np.uint8)
