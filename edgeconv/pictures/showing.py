"""The images of a dataset as pictures of any size: those that they were made of, or drawn ones.

What prepares pictures itself is tried on them. No preparation can be undone, so an image without its file is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.pictures.decoding import decode
from edgeconv.pictures.drawing import Picture, show_images
from edgeconv.preparation import Preparation

MOST_PICTURES = 500
MOST_BYTES = 2**28
"""Of all pictures together, which are held in memory: no more are read and drawn."""


def pictures_of(images: NDArray[np.uint8], preparation: Preparation, files: Sequence[Path] = ()) -> NDArray[np.object_]:
    """Return a picture of each of the first images, in their order.

    Files are read as long as they fill no more than a third of the memory, for photographs are large; the other images
    are drawn.

    Args:
        images: uint8, (n, height, width, channels), 0-255: what the model takes.
        preparation: what makes such images of pictures.
        files: the pictures that the images were made of, in the same order; empty where there are none.

    Returns:
        An array of pictures, each of its own size: uint8, (height, width, 1, 3 or 4 channels), 0-255.

    Raises:
        ImageError: a file cannot be read any more.
    """
    shown = images[:MOST_PICTURES]
    found = list(_read(files[: len(shown)], MOST_BYTES // 3))
    total = sum(picture.nbytes for picture in found)
    for picture in show_images(shown[len(found) :], preparation):
        total += picture.nbytes
        if found and total > MOST_BYTES:
            break
        found.append(picture)
    pictures = np.empty(len(found), object)
    pictures[:] = found
    return pictures


def _read(files: Sequence[Path], most_bytes: int) -> Iterator[Picture]:
    for file in files:
        picture = decode(file)
        most_bytes -= picture.nbytes
        if most_bytes < 0:
            return
        yield picture
