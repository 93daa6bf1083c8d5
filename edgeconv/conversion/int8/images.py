"""Calibration images drawn from the training split of labelled images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgeconv.conversion.int8.feeds import BLOCK_BYTES, CalibrationFeeds, surveyed
from edgeconv.conversion.keras.ports import IMAGE
from edgeconv.datasets import Split
from edgeconv.parity.comparison import Feeds


def draw_calibration(train: Split, *, dataset: str, size: int, seed: int) -> CalibrationFeeds:
    """Draw calibration images from the training split, class by class in turn.

    Args:
        train: the training split; the test split has no business here.
        dataset: its name, for the record.
        size: how many; the whole split where it has fewer.
        seed: equal seeds draw equal images.

    Returns:
        The images in the order of the split, class counts equal to within one as far as each class has enough.
    """
    generator = np.random.default_rng(seed)
    queues = [generator.permutation(np.flatnonzero(train.labels == label)) for label in np.unique(train.labels)]
    # Rank r of a class is drawn in round r: sorting by round takes one of each class in turn.
    rounds = np.concatenate([np.arange(len(queue)) for queue in queues])
    order = np.argsort(rounds, kind="stable")[:size]
    chosen = np.sort(np.concatenate(queues)[order])
    step = max(1, BLOCK_BYTES // max(1, int(train.images[0].nbytes)))

    def blocks(start: int) -> Iterator[Feeds]:
        return ({IMAGE: train.images[chosen[at : at + step]]} for at in range(start, len(chosen), step))

    return surveyed(blocks, len(chosen), dataset=dataset, split="train", seed=seed, labels=train.labels[chosen])
