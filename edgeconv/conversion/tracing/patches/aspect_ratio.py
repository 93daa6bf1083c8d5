"""Cropping and padding to an aspect ratio, counted while tracing where height and width are known.

Keras counts them in the graph, from the shape of a batch of unknown size; TensorFlow then no longer knows the height
and width of what is to be resized, and pads in branches of the graph.

Upstream: none; Keras' `keras.ops.image.resize` is right. Goes when Keras counts with static shapes where it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from edgeconv.conversion.tracing.patches.replacing import replaced


@contextmanager
def aspect_ratios_counted() -> Iterator[None]:
    """Replace the `resize` of Keras' TensorFlow backend while the block runs."""
    from keras.src.backend.tensorflow import image

    original = image.resize

    def resize(images: Any, size: Any, *args: Any, **kwargs: Any) -> Any:
        last = (kwargs.get("data_format") or _image_data_format()) == "channels_last"
        height_axis = len(images.shape) - 3 + (0 if last else 1)
        known = None not in images.shape[height_axis : height_axis + 2]
        if not args and known and kwargs.get("crop_to_aspect_ratio"):
            images = _cropped(images, height_axis, size)
            kwargs = {**kwargs, "crop_to_aspect_ratio": False}
        elif not args and known and kwargs.get("pad_to_aspect_ratio") and not kwargs.get("crop_to_aspect_ratio"):
            images = _padded(images, height_axis, size, kwargs.get("fill_value", 0.0))
            kwargs = {**kwargs, "pad_to_aspect_ratio": False}
        return original(images, size, *args, **kwargs)

    with replaced(image, "resize", resize):
        yield


def _image_data_format() -> str:
    import keras

    return str(keras.config.image_data_format())


def _cropped(images: Any, axis: int, size: Any) -> Any:
    height, width = images.shape[axis : axis + 2]
    kept = (max(min(height, _fitting(width, *size)), 1), max(min(width, _fitting(height, *size[::-1])), 1))
    start = (int((height - kept[0]) / 2), int((width - kept[1]) / 2))
    window = [slice(first, first + length) for first, length in zip(start, kept, strict=True)]
    return images[(*[slice(None)] * axis, *window)]


def _padded(images: Any, axis: int, size: Any, value: float) -> Any:
    import tensorflow as tf

    height, width = images.shape[axis : axis + 2]
    above = int((max(height, _fitting(width, *size)) - height) / 2)
    left = int((max(width, _fitting(height, *size[::-1])) - width) / 2)
    edges = [[0, 0] for _ in images.shape]
    edges[axis : axis + 2] = [[above, above], [left, left]]
    return tf.pad(images, edges, constant_values=tf.cast(value, images.dtype))


def _fitting(other_side: int, target: int, other_target: int) -> int:
    """Return the side that goes with the other side at the target's aspect ratio, rounded as Keras does."""
    return int(np.float32(other_side * target) / np.float32(other_target))
