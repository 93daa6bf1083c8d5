"""Calibration images that the user names: a folder of pictures, or an `.npz` of arrays as the model eats them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.calibration import Calibration
from edgeconv.conversion.keras_models.ports import Port
from edgeconv.conversion.user_inputs import fitted, read_inputs
from edgeconv.errors import ConfigError, DatasetError, ImageError
from edgeconv.images import EXTENSIONS, decode
from edgeconv.preprocess import Preparation, prepare
from edgeconv.progress import SILENT, Progress

ARRAY_NAMES = ("images", "x_train", "calibration")
"""The array of an `.npz` of several that is taken, the first that is there."""


def read_calibration(
    path: Path, port: Port, preparation: Preparation | None, *, size: int, seed: int, progress: Progress = SILENT
) -> Calibration:
    """Read calibration images, and draw some of them where there are more than enough.

    Args:
        path: a folder, searched at any depth, or an `.npz`.
        port: the model's input.
        preparation: how a picture becomes the input; None where nobody knows.
        size: how many at most.
        seed: equal seeds draw equal images.
        progress: sees a bar for the pictures.

    Raises:
        ConfigError: the arrays do not fit the model, or it does not say what it makes of a picture.
        DatasetError: there are no pictures, or one cannot be used.
    """
    images = _pictures(path, preparation, size, seed, progress) if path.is_dir() else _arrays(path, port, size, seed)
    record = {
        "dataset": path.name,
        "split": "calibration",
        "size": len(images),
        "seed": seed,
        "sha256": hashlib.sha256(images.tobytes()).hexdigest(),
    }
    return Calibration(images, record)


def _arrays(path: Path, port: Port, size: int, seed: int) -> NDArray[Any]:
    arrays = read_inputs(path)
    name = next((name for name in (*ARRAY_NAMES, port.name) if name in arrays), next(iter(arrays)))
    array = arrays[name]
    # Grey images are often saved without their channel.
    array = array[..., None] if array.ndim == len(port.shape) and port.shape[-1] == 1 else array
    images = fitted({name: array}, (port,), path)[port.name]
    return np.ascontiguousarray(images[_drawn(len(images), size, seed)])


def _pictures(
    folder: Path, preparation: Preparation | None, size: int, seed: int, progress: Progress
) -> NDArray[np.uint8]:
    if preparation is None:
        raise ConfigError(
            f"`calibration` with a folder of pictures requires a model that says what it makes of a pixel. Received: "
            f"`{folder}` and a model without a Rescaling layer or a size of its own. State it, such as "
            "`--input-range 0:1`, or give an .npz of arrays as the model eats them."
        )
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in EXTENSIONS)
    if not paths:
        raise DatasetError(
            f"`{folder}` must hold pictures. Received: none with the endings {', '.join(sorted(EXTENSIONS))}. "
            "Name another folder."
        )
    images = []
    chosen = _drawn(len(paths), size, seed)
    with progress.bar("Reading pictures", len(chosen)) as advance:
        for index in chosen:
            try:
                images.append(prepare(decode(paths[index]), preparation))
            except ImageError as error:
                raise DatasetError(f"Every picture must be usable. {paths[index]}: {error} Or remove it.") from error
            advance(1, "")
    return np.stack(images)


def _drawn(count: int, size: int, seed: int) -> NDArray[np.int64]:
    """Return the indices of the drawn ones, in order."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:size])
