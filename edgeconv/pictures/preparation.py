"""Turn any picture into what a model was trained on. One function, for training, calibration and serving."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError
from edgeconv.pictures.colors import composite, luma
from edgeconv.pictures.digits import center_digit
from edgeconv.pictures.resampling import resize
from edgeconv.preparation import Preparation
from edgeconv.recipe import RESIZE


def prepare(picture: NDArray[np.uint8], preparation: Preparation) -> NDArray[np.uint8]:
    """Turn a picture into the model's input.

    Kind "resize" shows transparent pictures over white, as a page would, unless alpha is ignored or the model takes
    it; to one that does, a picture without alpha is opaque. A picture that has the model's size already is not
    resampled. Kind "digit" is described in `edgeconv.pictures.digits`.

    Args:
        picture: uint8, (height, width, channels), 0-255; 1 (grey), 3 (RGB) or 4 (RGB and alpha) channels.
        preparation: what the model requires.

    Returns:
        uint8, (preparation.height, preparation.width, preparation.channels), 0-255.

    Raises:
        ImageError: the array is not such a picture, or kind "digit" finds no ink in it.

    Example:
        >>> prepare(np.zeros((40, 60, 3), np.uint8), Preparation("resize", 32, 32, 3)).shape
        (32, 32, 3)
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in {1, 3, 4} or not picture.size:
        raise ImageError(
            "A picture must be uint8 (height, width, 1, 3 or 4). "
            f"Received: {picture.dtype} {picture.shape}. Read files with `edgeconv.pictures.decoding.decode`."
        )
    if preparation.kind == "digit":
        return center_digit(picture, preparation.height, preparation.width, preparation.box)
    return _resize(picture, preparation)


def _resize(picture: NDArray[np.uint8], preparation: Preparation) -> NDArray[np.uint8]:
    height, width = preparation.height, preparation.width
    if preparation.fit == "crop":
        top, left, rows, columns = cropped(picture.shape[:2], height, width)
        picture = picture[top : top + rows, left : left + columns]
    if picture.shape[:2] == (height, width):
        return _with_channels(picture, preparation.channels, preparation.transparency)
    if preparation.fit != "pad":
        return _resampled(picture, height, width, preparation)
    top, left, rows, columns = padded(picture.shape[:2], height, width)
    whole = np.zeros((height, width, preparation.channels), np.uint8)
    whole[top : top + rows, left : left + columns] = _resampled(picture, rows, columns, preparation)
    return whole


def _resampled(picture: NDArray[np.uint8], height: int, width: int, preparation: Preparation) -> NDArray[np.uint8]:
    """Resize to bytes; transparent pictures as Pillow does where that is antialiased."""
    method, channels = preparation.filter, preparation.channels
    read = partial(_with_channels, channels=channels, transparency=preparation.transparency)
    if (method == "triangle" and channels < 4) or method in {"bilinear", "nearest"}:
        return _to_bytes(resize(picture, height, width, method, read))
    from edgeconv.pictures.kernels import resize_as_pillow, resize_with_kernel  # Few models need them.

    if method == "triangle" or method.startswith("pillow-"):
        return resize_as_pillow(picture, height, width, method, read)
    return _to_bytes(resize_with_kernel(picture, height, width, method, read))


def cropped(size: Sequence[int], height: int, width: int) -> tuple[int, int, int, int]:
    """Return the largest middle part of a picture with the aspect of `height` x `width`: top, left, rows, columns."""
    rows = max(1, min(size[0], round(size[1] * height / width)))
    columns = max(1, min(size[1], round(size[0] * width / height)))
    return (size[0] - rows) // 2, (size[1] - columns) // 2, rows, columns


def padded(size: Sequence[int], height: int, width: int) -> tuple[int, int, int, int]:
    """Return the part of `height` x `width` that a picture takes between bars: top, left, rows, columns."""
    scale = min(height / size[0], width / size[1])
    rows, columns = (max(1, round(side * scale)) for side in size)
    return (height - rows) // 2, (width - columns) // 2, rows, columns


def other_aspect(count: int, of: int, preparation: Preparation) -> str:
    """Say that pictures are cut since nobody said how they are fitted.

    Args:
        count: pictures without the aspect of the model.
        of: pictures in all.
        preparation: the model's.
    """
    return (
        f"{count:,} of {of:,} pictures do not have the aspect of {preparation.height}x{preparation.width}: only their "
        "middle is seen. Say how to fit them: `--fit stretch`, as Keras' image_dataset_from_directory does, `crop` or "
        "`pad`."
    )


def is_cropped(picture: NDArray[np.uint8], preparation: Preparation) -> bool:
    """Whether fit "crop" would cut more off a picture than the rounding of a pixel."""
    kept = cropped(picture.shape[:2], preparation.height, preparation.width)[2:]
    return any(side > part + 1 for side, part in zip(picture.shape[:2], kept, strict=True))


def _with_channels(picture: NDArray[np.uint8], channels: int, transparency: str) -> NDArray[np.uint8]:
    if picture.shape[2] == channels:
        return picture
    if picture.shape[2] == 4:
        picture = picture[..., :3] if transparency == "ignore" else composite(picture, RESIZE.background)
    if channels == 1:
        return luma(picture)
    colours = np.repeat(picture, 3 // picture.shape[2], axis=2)
    return colours if channels == 3 else np.concatenate([colours, np.full_like(colours[..., :1], 255)], axis=2)


def _to_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)
