"""What the user names for int8 ranges to be measured on: pictures, arrays, or a function that yields feeds."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.int8.calibration_arrays import blocks_of_arrays
from edgeconv.conversion.int8.calibration_function import blocks_of_function, is_function
from edgeconv.conversion.int8.calibration_pictures import blocks_of_pictures
from edgeconv.conversion.int8.feeds import CalibrationFeeds, surveyed
from edgeconv.conversion.keras.ports import Port
from edgeconv.pictures.decoding import EXTENSIONS
from edgeconv.preparation import Preparation
from edgeconv.progress import SILENT, Progress


def read_calibration(
    place: str | Path,
    ports: Sequence[Port],
    preparation: Preparation | None,
    *,
    size: int,
    seed: int,
    fit_is_stated: bool = True,
    progress: Progress = SILENT,
) -> CalibrationFeeds:
    """Open calibration samples, and draw some of them where there are more than enough.

    Args:
        place: a folder of pictures, searched at any depth, a pattern as of a shell, or one picture; an `.npz` of arrays
            by input, or an `.npy` for the only one; or ``"module:function"``, which yields feeds.
        ports: the model's inputs.
        preparation: how a picture becomes the input; None where nobody knows.
        size: how many at most; of a function the first ones.
        seed: equal seeds draw equal samples.
        fit_is_stated: whether the fit of pictures is stated; otherwise a message says where they are cropped.
        progress: sees a bar.

    Raises:
        ConfigError: the arrays do not fit the model, or it does not state how pixels are scaled.
        DatasetError: there are no pictures, or one cannot be used.
    """
    path, labels = Path(place), None
    if is_function(str(place)) and not path.exists():
        blocks, count = blocks_of_function(str(place), ports, size)
    elif path.is_dir() or path.suffix.lower() in EXTENSIONS or (glob.has_magic(str(place)) and not path.exists()):
        heard = SILENT if fit_is_stated else progress
        blocks, count, labels = blocks_of_pictures(path, ports, preparation, lambda n: _drawn(n, size, seed), heard)
    else:
        blocks, count, labels = blocks_of_arrays(path, ports, lambda n: _drawn(n, size, seed))
    return surveyed(blocks, count, dataset=path.name, split="calibration", seed=seed, labels=labels, progress=progress)


def _drawn(count: int, size: int, seed: int) -> NDArray[np.int64]:
    """Return the indices of the drawn ones, in order."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:size])
