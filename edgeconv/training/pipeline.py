"""The training images in a seeded order, batch after batch, augmented on the way."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from edgeconv.datasets import Split
from edgeconv.training.augmentation import augment
from edgeconv.training.seeds import derived_seed

TEST_BATCH = 250
_TEST_PIXELS = TEST_BATCH * 28 * 28
"""Pixels in a batch of test images: fast for digits, and no danger for the memory when images are large."""
_EXECUTION_PIXELS = 16 * 64 * 28 * 28
"""Training pixels between two returns to Python: sixteen of the book's steps, a fifth of a second. A step takes 20 ms
of processor time, and each return costs more than one of them."""
_LEAST_EXECUTIONS = 50
"""Returns in an epoch at least, so that its bar moves evenly."""


class InputPipeline:
    """Feeds a run. The images stay uint8, in the memory of the host, once.

    Args:
        train: what a model learns from.
        test: the split that it is evaluated on.
        batch_size: training images a step.
        seed: of the run; an epoch's order and augmentation follow from it and the epoch's number alone.
        augmented: shift, rotate and zoom the training images.

    Attributes:
        steps: weight updates an epoch.
        steps_per_execution: of them, how many a small network may take before Python hears of them.
        test: batches of test images and labels.
    """

    def __init__(self, train: Split, test: Split, *, batch_size: int, seed: int, augmented: bool) -> None:
        self.batch_size, self.seed, self.augmented = batch_size, seed, augmented
        self.steps = math.ceil(len(train) / batch_size)
        self.steps_per_execution = _steps_per_execution(self.steps, batch_size * math.prod(train.images.shape[1:3]))
        with tf.device("/CPU:0"):
            self._images = tf.constant(train.images)
            self._labels = tf.constant(train.labels)
            test_batch = max(1, min(TEST_BATCH, _TEST_PIXELS // math.prod(test.images.shape[1:3])))
            self.test = tf.data.Dataset.from_tensor_slices((test.images, test.labels)).batch(test_batch).prefetch(2)

    def epoch(self, number: int) -> tf.data.Dataset:
        """Return the batches of one epoch, each image once.

        Args:
            number: of the epoch, from 0.

        Returns:
            Batches of uint8, (batch, height, width, channels), 0-255, and int64 labels, (batch,). The last batch
            holds what is left.
        """
        seed = derived_seed(self.seed, "augment", number)
        with tf.device("/CPU:0"):
            order = tf.constant(np.random.default_rng([self.seed, number]).permutation(len(self._labels)))

            def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                indices = order[step * self.batch_size : (step + 1) * self.batch_size]
                images = tf.gather(self._images, indices)
                if self.augmented:
                    images = augment(images, tf.stack([seed, step]))
                return images, tf.gather(self._labels, indices)

            return tf.data.Dataset.range(self.steps).map(batch).prefetch(2)


def _steps_per_execution(steps: int, batch_pixels: int) -> int:
    """Return how many steps TensorFlow takes before Python hears of them, at least 1."""
    return max(1, min(steps // _LEAST_EXECUTIONS, _EXECUTION_PIXELS // batch_pixels))
