"""Images shifted, turned and zoomed a little, as another hand or camera would have made them."""

from __future__ import annotations

import math

import tensorflow as tf

SHIFT = 0.08
"""Largest shift, as a share of the side: two pixels of 28."""
TURN = math.radians(10)
"""Largest rotation in radians, either way."""
ZOOM = 0.1
"""Largest change of size, as a share, either way."""


def augment(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Shift, rotate and zoom each image by amounts of its own; what comes in from outside repeats the border.

    Args:
        images: uint8, (batch, height, width, channels), 0-255.
        seed: int64, (2,); equal seeds give equal images.

    Returns:
        Images of the same shape and dtype.
    """
    height, width = (tf.cast(side, tf.float32) for side in tf.unstack(tf.shape(images)[1:3]))
    amounts = tf.random.stateless_uniform([tf.shape(images)[0], 4], seed, -1.0, 1.0)
    right, down, turn, zoom = tf.unstack(amounts * [SHIFT, SHIFT, TURN, ZOOM], axis=1)
    cosine, sine = tf.cos(turn) / (1 + zoom), tf.sin(turn) / (1 + zoom)
    # The transform takes a pixel of the result to where it comes from, around the centre of the image.
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    from_x = middle_x + right * width - cosine * middle_x + sine * middle_y
    from_y = middle_y + down * height - sine * middle_x - cosine * middle_y
    flat = tf.zeros_like(turn)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=tf.stack([cosine, -sine, from_x, sine, cosine, from_y, flat, flat], axis=1),
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return tf.cast(tf.round(moved), tf.uint8)
