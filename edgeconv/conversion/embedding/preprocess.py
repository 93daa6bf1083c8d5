"""`edgeconv.pictures.preparation` as ONNX operators: kind "resize"."""

from __future__ import annotations

from edgeconv.conversion.embedding.colors import composite, grey, opaque, with_channels
from edgeconv.conversion.embedding.kernels import resize_as_pillow, resize_with_kernel
from edgeconv.conversion.embedding.resampling import nearest_rows, resample_rows
from edgeconv.conversion.embedding.tensors import DOUBLE, FLOAT, INT64, UINT8, Operand, Tensor, join
from edgeconv.preparation import Preparation
from edgeconv.recipe import RESIZE


def resized(picture: Tensor, preparation: Preparation) -> Tensor:
    """Bring a picture to the model's size and channels, as `pictures.preparation.prepare` does for kind "resize".

    Colour becomes grey between the two steps of the resampling, where few pixels are left, if both are linear.

    Args:
        picture: uint8, (height, width, channels).
        preparation: of kind "resize".

    Returns:
        uint8, (preparation.height, preparation.width, preparation.channels).
    """
    height, width = preparation.height, preparation.width
    section = picture.recorder.section

    def lay(transparent: Tensor) -> Tensor:
        if preparation.transparency == "ignore":
            return transparent.slice(2, 0, 3)
        return composite(transparent, RESIZE.background)

    with section("transparency"):
        if preparation.channels == 4 or not _is_linear(preparation):
            picture = with_channels(picture, preparation.channels, lay)
        else:
            picture = opaque(picture, lay)
    if preparation.fit == "crop":
        with section("crop"):
            picture = _crop_to_aspect(picture, height, width)
    if preparation.fit != "pad":
        return _resize(picture, height, width, preparation)
    with section("fit"):
        rows, columns = (picture.size(axis).as_type(DOUBLE) for axis in (0, 1))
        scale = (height / rows).minimum(width / columns)
        inner_height, inner_width = _at_least_one(rows * scale), _at_least_one(columns * scale)
    inner = _resize(picture, inner_height, inner_width, preparation)
    with section("bars"):
        top, left = (height - inner_height) // 2, (width - inner_width) // 2
        bottom, right = height - inner_height - top, width - inner_width - left
        none = picture.integers([0])
        return inner.apply("Pad", join([top, left, none, bottom, right, none]))


def _crop_to_aspect(picture: Tensor, height: int, width: int) -> Tensor:
    """Cut out the largest middle part that has the aspect of `height` x `width`."""
    rows, columns = picture.size(0), picture.size(1)
    kept_rows = _at_least_one((columns * height).as_type(DOUBLE) / width).minimum(rows)
    kept_columns = _at_least_one((rows * width).as_type(DOUBLE) / height).minimum(columns)
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    return picture.slice(0, top, top + kept_rows).slice(1, left, left + kept_columns)


def _at_least_one(length: Tensor) -> Tensor:
    """Round a length to whole pixels, and leave one at least."""
    return length.round().maximum(1.0).as_type(INT64)


def _resize(picture: Tensor, height: Operand, width: Operand, preparation: Preparation) -> Tensor:
    """Resample to the size; uint8, (height, width, channels)."""
    section, channels = picture.recorder.section, preparation.channels
    if not _is_linear(preparation):
        return _resize_with_kernel(picture, height, width, preparation)

    def resample(source: Tensor, target: Operand) -> Tensor:
        if preparation.filter == "nearest":
            return nearest_rows(source, target).as_type(FLOAT)
        return resample_rows(source, target, antialias=preparation.filter == "triangle")

    with section("rows"):
        rows = resample(picture, height)
    if channels == 1:
        with section("grey"):
            rows = grey(rows).reshape(0, 0, 1)
    with section("columns"):
        made = resample(rows.transpose(1, 0, 2), width).transpose(1, 0, 2)
    with section("bytes"):
        made = made.clip(0.0, 255.0).round().as_type(UINT8)
        return made if channels == 1 else made.apply("Expand", picture.integers([1, 1, channels]))


def _is_linear(preparation: Preparation) -> bool:
    """Whether nothing is rounded or cut off between the two steps of the resampling: see `pictures.preparation`."""
    linear = {"bilinear", "nearest"} | ({"triangle"} if preparation.channels < 4 else set())
    return preparation.filter in linear


def _resize_with_kernel(picture: Tensor, height: Operand, width: Operand, preparation: Preparation) -> Tensor:
    method = preparation.filter
    if method == "triangle" or method.startswith("pillow-"):
        return resize_as_pillow(picture, height, width, method, transparent=preparation.channels == 4)
    made = resize_with_kernel(picture, height, width, method)
    with picture.recorder.section("bytes"):
        return made.clip(0.0, 255.0).round().as_type(UINT8)
