"""`tf.image.resize` in every interpolation, exactly, where height and width are known.

Resizing is linear and separable: one matrix along the height and one along the width. TensorFlow itself gives them,
as the picture of an identity matrix, so that each interpolation, with antialias or without, is right by construction.
Otherwise tf2onnx takes `area` for `nearest` and answers wrongly, cannot convert `lanczos3` and what is antialiased,
and writes a `bicubic` Resize that ONNX Runtime refuses to shrink with. `nearest` becomes two gathers, and `bilinear`
without antialias stays a Resize.

Where height or width is dynamic there is no matrix: other than `bilinear` and `nearest` is refused there.

Upstream: https://github.com/onnx/tensorflow-onnx, `ResizeArea` and `ScaleAndTranslate`, no issue yet.
Goes when tf2onnx converts these, and ONNX Runtime shrinks with `cubic`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import onnx

from edgeconv.conversion.tracing.patches.handler import Handlers, add, constant, replace
from edgeconv.conversion.tracing.patches.replacing import replaced
from edgeconv.errors import UnsupportedModelError

BY_RESIZE = ("bilinear", "nearest")
"""Methods that ONNX's Resize does as TensorFlow does, at any size."""


@contextmanager
def resizing_by_matrices() -> Iterator[None]:
    """Replace `tf.image.resize` while the block runs."""
    import tensorflow as tf

    original = tf.image.resize
    with replaced(tf.image, "resize", partial(_resize, original)):
        yield


def _resize(
    original: Callable[..., Any],
    images: Any,
    size: Any,
    method: str = "bilinear",
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
    name: str | None = None,
) -> Any:
    import tensorflow as tf

    images = tf.convert_to_tensor(images)
    target = tf.get_static_value(tf.convert_to_tensor(size))
    source = images.shape[-3:-1].as_list() if images.shape.rank in (3, 4) else [None, None]
    keywords = {"method": method, "preserve_aspect_ratio": preserve_aspect_ratio, "antialias": antialias}
    if None in source or target is None or preserve_aspect_ratio:
        if method not in BY_RESIZE or antialias:
            raise UnsupportedModelError(
                f"an image must have a known height and width to be resized by `{method}`"
                f"{' with antialias' if antialias else ''}. Received: {tuple(source)}. "
                "Give the model's input a size, or interpolate by `bilinear`."
            )
        return original(images if method == "nearest" else tf.cast(images, tf.float32), size, name=name, **keywords)
    with tf.init_scope():
        along_height, along_width = (
            original(tf.eye(old)[:, None, :], (int(new), 1), **keywords)[:, 0, :]
            for old, new in zip(source, target, strict=True)
        )
    if method == "nearest":
        rows, columns = tf.argmax(along_height, axis=1), tf.argmax(along_width, axis=1)
        return tf.gather(tf.gather(images, rows, axis=-3), columns, axis=-2)
    images = tf.cast(images, tf.float32)
    if method == "bilinear" and not antialias:
        return original(images, size, name=name, **keywords)
    channels = images.shape[-1]
    if not _is_identity(along_height):
        leading = [] if images.shape.rank == 3 else [tf.shape(images)[0]]
        rows = tf.reshape(images, [*leading, source[0], source[1] * channels])
        images = tf.reshape(tf.matmul(along_height, rows), [*leading, target[0], source[1], channels])
    return images if _is_identity(along_width) else tf.matmul(along_width, images)


def _is_identity(matrix: Any) -> bool:
    return bool(np.array_equal(matrix.numpy(), np.eye(*matrix.shape)))


def handlers() -> Handlers:
    """Return the handlers of what stays a Resize."""
    return {"ResizeBilinear": (_by_resize, []), "ResizeNearestNeighbor": (_by_resize, [])}


def _by_resize(graph: Any, node: Any, _name: str, _args: Any) -> None:
    """Convert to Resize; tf2onnx's own has scales that yield 6 rows of 7, and no cast of integers."""
    linear = node.type == "ResizeBilinear"
    half_pixel, corners = (bool(node.get_attr_int(name)) for name in ("half_pixel_centers", "align_corners"))
    image = add(graph, node, "Cast", [node.input[0]], to=onnx.TensorProto.FLOAT) if linear else node.input[0]
    image = add(graph, node, "Transpose", [image], perm=[0, 3, 1, 2])
    source, target = graph.get_shape(node.input[0])[1:3], node.inputs[1]
    empty = constant(graph, node, np.empty(0, np.float32))
    if target.is_const() and min(source) > 0:
        new = target.get_tensor_value(as_list=False)
        scales = [_scale(int(old), int(wanted)) for old, wanted in zip(source, new, strict=True)]
        sizes = [constant(graph, node, np.array([1, 1, *scales], np.float32))]
    else:
        first, last = (constant(graph, node, np.array([place], np.int64)) for place in (0, 2))
        batch = add(graph, node, "Slice", [add(graph, node, "Shape", [image]), first, last])
        wanted = add(graph, node, "Cast", [node.input[1]], to=onnx.TensorProto.INT64)
        sizes = [empty, add(graph, node, "Concat", [batch, wanted], axis=0)]
    mode = "align_corners" if corners else "half_pixel" if half_pixel else "asymmetric"
    resized = add(
        graph,
        node,
        "Resize",
        [image, empty, *sizes],
        mode="linear" if linear else "nearest",
        coordinate_transformation_mode=mode,
        nearest_mode="floor" if mode == "asymmetric" else "round_prefer_ceil",
    )
    replace(graph, node, "Transpose", [resized], perm=[0, 2, 3, 1])


def _scale(old: int, new: int) -> np.float32:
    """Return the least float32 scale that makes `new` of `old`: readers take the product's floor."""
    scale = np.float32(new / old)
    while np.floor(old * float(scale)) < new:
        scale = np.nextafter(scale, np.float32(np.inf))
    return scale
