"""Hold out a share of each class, the same on every machine and with every numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import DatasetError


def stratified_split(
    labels: NDArray[np.int64], share: float, seed: int, source: str, names: tuple[str, ...] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide indices into a training and a test part, each class by itself, both in a shuffled order.

    A class gives round(its size x share) images to the test part, but at least one to each part. The order comes
    from the raw stream of PCG64, which numpy guarantees; it does not guarantee `Generator.permutation` (NEP 19).

    Args:
        labels: int64, (n,), an index of a class for each image.
        share: of each class that goes to the test part, between 0 and 1.
        seed: chooses which ones.
        source: the file or folder, for the error.
        names: of the classes, for the error; None: their indices.

    Returns:
        Indices of the training part and of the test part, int64, (k,) and (n - k,).

    Raises:
        DatasetError: a class has fewer than two images.

    Example:
        >>> train, test = stratified_split(np.repeat([0, 1], 10), 0.2, seed=0, source="")
        >>> len(train), len(test)
        (16, 4)
    """
    keys = np.random.PCG64(seed).random_raw(len(labels))
    order = np.argsort(keys, kind="stable")
    held_out = np.zeros(len(labels), dtype=bool)
    for index in np.unique(labels):
        members = order[labels[order] == index]
        if len(members) < 2:
            name = names[index] if names else str(index)
            raise DatasetError(
                f"{source}: each class requires at least 2 images, one to train and one to test. "
                f"Received: {len(members)} of class {name!r}. Add images or remove the class."
            )
        held_out[members[: min(max(1, round(len(members) * share)), len(members) - 1)]] = True
    return order[~held_out[order]], order[held_out[order]]
