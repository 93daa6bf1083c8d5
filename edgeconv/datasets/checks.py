"""What the arrays of every dataset must be, wherever they come from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets.dataset import Split
from edgeconv.errors import DatasetError
from edgeconv.memory import memory_allowed


def checked_split(images: NDArray[Any], labels: NDArray[Any], where: tuple[str, str]) -> Split:
    """Bring a pair of arrays into the form of a `Split`.

    Args:
        images: uint8, (n, height, width) or (n, height, width, 1, 3 or 4), 0-255.
        labels: integers, (n,) or (n, 1), 0 or more.
        where: what to call the two arrays in an error: file and key.

    Returns:
        The images with a channel axis, and the labels as int64.

    Raises:
        DatasetError: dtype, shape, range or number are not so. Names the array.
    """
    split = Split(_checked_images(images, where[0]), _checked_labels(labels, where[1]))
    if len(split.images) != len(split.labels):
        raise DatasetError(
            f"{where[1]}: one label an image is required. Received: {len(split.labels)} labels for "
            f"{len(split.images)} images in {where[0]}. Get a complete copy of both."
        )
    return split


def checked_classes(train: Split, test: Split, names: tuple[str, ...] | None, source: str) -> tuple[str, ...]:
    """Check that both splits have the same kind of images and all of the classes.

    Args:
        train: one split.
        test: the other one.
        names: of the classes; None: "0", "1", ... up to the greatest label.
        source: the file or folder, for errors.

    Returns:
        The names of the classes.

    Raises:
        DatasetError: the shapes differ, a label has no name, a class is empty, or there are fewer than two.
    """
    if train.images.shape[1:] != test.images.shape[1:]:
        raise DatasetError(
            f"{source}: training and test images must have one shape. Received: {train.images.shape[1:]} and "
            f"{test.images.shape[1:]}. Save both in the same size and colour."
        )
    greatest = int(max(train.labels.max(), test.labels.max()))
    count = len(names) if names else greatest + 1
    if greatest >= count:
        raise DatasetError(
            f"{source}: labels must be 0 to {count - 1}, one for each of the {count} class names. "
            f"Received: {greatest}. Correct the label or add the name."
        )
    for part, split in (("training", train), ("test", test)):
        present = np.unique(split.labels)
        if len(present) < count:
            # Not a list of all absent classes: one stray label of 10**9 would make it endless.
            gap = int(np.argmax(np.append(present, -1) != np.arange(len(present) + 1)))
            raise DatasetError(
                f"{source}: each of the classes 0 to {count - 1} requires a {part} image. Received: {len(present)} "
                f"classes, none of class {names[gap] if names else gap}. Add images, or close the gap in the numbers."
            )
    if count < 2:
        raise DatasetError(
            f"{source}: at least 2 classes are required. Received: {count}. Add images of another class."
        )
    return names or tuple(str(index) for index in range(count))


def _checked_images(images: NDArray[Any], where: str) -> NDArray[np.uint8]:
    if images.dtype != np.uint8:
        raise DatasetError(f"{where}: images must be uint8, 0-255. Received: {_dtype_and_remedy(images)}")
    remedy = ""
    if images.ndim == 2:
        remedy = " Unroll the pixels with `x.reshape(len(x), height, width)`."
    elif images.ndim == 4 and images.shape[1] in {1, 3, 4} and images.shape[3] not in {1, 3, 4}:
        remedy = " Put the channels last with `x.transpose(0, 2, 3, 1)`."
    elif images.ndim in {3, 4} and not images.size:
        remedy = " Get a copy that has images."
    if remedy or images.ndim not in {3, 4} or (images.ndim == 4 and images.shape[3] not in {1, 3, 4}):
        raise DatasetError(
            f"{where}: images must be (n, height, width) or (n, height, width, 1, 3 or 4), none of them 0. "
            f"Received: {images.shape}.{remedy}"
        )
    return images if images.ndim == 4 else images[..., None]


def _dtype_and_remedy(images: NDArray[Any]) -> str:
    if images.dtype.kind == "f" and images.size:
        low, high = images.min(), images.max()
        if not np.isfinite([low, high]).all():
            return f"{images.dtype} with NaN or infinite values. Find out where they come from first."
        if low >= 0 and high <= 1:
            return f"{images.dtype} in [{low:g}, {high:g}]. Save `(x * 255).round().astype('uint8')`."
        return f"{images.dtype} in [{low:g}, {high:g}]. Save raw pixels with `.astype('uint8')`."
    if images.dtype.kind == "b":
        return "bool. Save `x.astype('uint8') * 255`."
    return f"{images.dtype}. Save raw pixels with `.astype('uint8')`."


def _checked_labels(labels: NDArray[Any], where: str) -> NDArray[np.int64]:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        remedy = " Turn one-hot rows into indices with `y.argmax(axis=1)`." if labels.ndim == 2 else ""
        raise DatasetError(f"{where}: labels must be (n,). Received: {labels.shape}.{remedy}")
    if labels.dtype.kind not in "iu":
        nan = labels.dtype.kind == "f" and bool(np.isnan(labels).any())
        remedy = "Find out where the NaN come from." if nan else "Save class indices with `.astype('int64')`."
        raise DatasetError(
            f"{where}: labels must be integers. Received: {labels.dtype}{' with NaN' if nan else ''}. {remedy}"
        )
    # Compared as Python integers: a uint64 above 2**63 would wrap in int64.
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < 2**31:
        raise DatasetError(
            f"{where}: labels must be indices of classes, 0 or more. "
            f"Received: {int(labels.min())} to {int(labels.max())}. Number the classes 0, 1, 2, ..."
        )
    return labels.astype(np.int64)


OBJECT_TIMES = 25
"""How many times as much as its text Python's objects take at most, as of `{},{},`."""


def most_text_bytes() -> int:
    """Return how long a file of text may be whose every value becomes an object: these must fit into the memory."""
    return memory_allowed() // OBJECT_TIMES
