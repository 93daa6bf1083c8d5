"""Evaluation images shown as pictures, to stages that prepare pictures themselves.

Datasets hold images that are prepared already: a stage is given the pictures that they were made of, or drawn ones, and
the reference the same pictures, prepared with numpy.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError
from edgeconv.parity.comparison import Batch, ComparisonSet
from edgeconv.pictures.preparation import prepare
from edgeconv.pictures.showing import pictures_of
from edgeconv.preparation import Preparation


def show(compared: ComparisonSet, preparation: Preparation) -> tuple[ComparisonSet, ComparisonSet]:
    """Return the first images of a set as pictures of several sizes, and the same pictures prepared with numpy.

    Args:
        compared: images that classes are compared on.
        preparation: what makes such images of pictures.
    """
    pictures = pictures_of(np.asarray(compared.images, np.uint8), preparation, compared.files)
    prepared = np.stack([_prepared(picture, preparation) for picture in pictures])
    first = compared.first(len(pictures))
    return (
        replace(first, batches=(Batch({"image": pictures}),)),
        replace(first, batches=(Batch({"image": prepared}),)),
    )


def _prepared(picture: NDArray[np.uint8], preparation: Preparation) -> NDArray[np.uint8]:
    try:
        return prepare(picture, preparation)
    except ImageError:  # The image is blank, as its picture is.
        return np.zeros((preparation.height, preparation.width, preparation.channels), np.uint8)
