"""Calibration images that the user names: pictures, or an `.npz` of arrays as the model takes them."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.int8.images import BLOCK_BYTES, Blocks, CalibrationImages, surveyed
from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.verification.npz_rows import Rows, read_headers
from edgeconv.conversion.verification.user_inputs import check_shape, check_values, is_held
from edgeconv.errors import ConfigError, DatasetError, ImageError
from edgeconv.pictures.decoding import EXTENSIONS, decode
from edgeconv.pictures.listing import find_pictures
from edgeconv.pictures.preparation import is_cropped, other_aspect, prepare
from edgeconv.preparation import Preparation
from edgeconv.progress import SILENT, Progress

ARRAY_NAMES = ("images", "x_train", "calibration")
"""The array of an `.npz` of several that is taken, the first that is there."""

LABEL_NAMES = ("labels", "y_train")
"""The array of an `.npz` that tells the classes, the first that is there."""

LOOKED_AT = 16
"""How many pictures to check for their aspect ratio where the fit is not stated."""


def read_calibration(
    place: str | Path,
    port: Port,
    preparation: Preparation | None,
    *,
    size: int,
    seed: int,
    fit_is_stated: bool = True,
    progress: Progress = SILENT,
) -> CalibrationImages:
    """Open calibration images, and draw some of them where there are more than enough.

    Args:
        place: a folder, searched at any depth, a pattern as of a shell, one picture, or an `.npz`.
        port: the model's input.
        preparation: how a picture becomes the input; None where nobody knows.
        size: how many at most.
        seed: equal seeds draw equal images.
        fit_is_stated: whether the fit of pictures is stated; otherwise a message says where they are cropped.
        progress: sees a bar for the pictures.

    Raises:
        ConfigError: the arrays do not fit the model, or it does not state how pixels are scaled.
        DatasetError: there are no pictures, or one cannot be used.
    """
    path = Path(place)
    if path.is_dir() or path.suffix.lower() in EXTENSIONS or (glob.has_magic(str(place)) and not path.exists()):
        blocks, count, labels = _pictures(path, preparation, size, seed, SILENT if fit_is_stated else progress)
    else:
        blocks, count, labels = _arrays(path, port, size, seed)
    return surveyed(blocks, count, dataset=path.name, split="calibration", seed=seed, labels=labels, progress=progress)


def _arrays(path: Path, port: Port, size: int, seed: int) -> tuple[Blocks, int, NDArray[np.int64] | None]:
    arrays = read_headers(path)
    name = next((name for name in (*ARRAY_NAMES, port.name) if name in arrays), next(iter(arrays)))
    rows = arrays[name]
    # Grey images are often saved without their channel.
    grey = len(rows.shape) == len(port.shape) and port.shape[-1] == 1
    check_shape(port, rows.dtype, (*rows.shape, 1) if grey else rows.shape, [name], path)
    _check_all_values(rows, port, path)
    chosen = _drawn(rows.shape[0], size, seed)

    def blocks(start: int) -> Iterator[NDArray[Any]]:
        wanted, seen = chosen[start:], 0
        for block in rows.blocks(BLOCK_BYTES):
            here = wanted[(wanted >= seen) & (wanted < seen + len(block))] - seen
            seen += len(block)
            if len(here):
                images = block[here].astype(port.dtype)
                yield images[..., None] if grey else images
            if not len(wanted) or seen > wanted[-1]:
                return

    return blocks, len(chosen), _labels_of(arrays, chosen)


def _check_all_values(rows: Rows, port: Port, path: Path) -> None:
    """Raise unless the model's dtype holds every value, of the rows that are not drawn as well."""
    if np.can_cast(rows.dtype, port.dtype) or np.dtype(port.dtype).kind not in "iub":
        return
    held, low, high = True, np.inf, -np.inf
    for block in rows.blocks(BLOCK_BYTES):
        held &= is_held(block, port)
        low, high = min(low, float(block.min())), max(high, float(block.max()))
    check_values(port, rows.dtype, low, high, path, held=held)


def _labels_of(arrays: dict[str, Rows], chosen: NDArray[np.int64]) -> NDArray[np.int64] | None:
    rows = next((arrays[name] for name in LABEL_NAMES if name in arrays), None)
    if rows is None or len(rows.shape) != 1 or rows.dtype.kind not in "iu":
        return None
    return rows.whole()[chosen].astype(np.int64)


def _pictures(
    place: Path, preparation: Preparation | None, size: int, seed: int, progress: Progress
) -> tuple[Blocks, int, NDArray[np.int64] | None]:
    if preparation is None:
        raise ConfigError(
            f"`calibration` with pictures requires a model that states how pixels are scaled. Received: "
            f"`{place}` and a model without a Rescaling layer or a size of its own. State it "
            "with `--input-range LOW:HIGH`, or give an .npz of arrays as the model takes them."
        )
    paths = list(find_pictures(str(place)))
    if not paths or (paths == [str(place)] and not place.exists()):
        raise DatasetError(
            f"`{place}` must be a picture or hold some. Received: none with the endings "
            f"{', '.join(sorted(EXTENSIONS))}. Name another folder, pattern or file."
        )
    chosen = _drawn(len(paths), size, seed)
    first = [_decoded(paths[index]) for index in chosen[:LOOKED_AT]]
    cropped = sum(is_cropped(picture, preparation) for picture in first)
    if cropped and preparation.kind == "resize":
        progress.say(other_aspect(cropped, len(first), preparation))

    def blocks(start: int) -> Iterator[NDArray[Any]]:
        for index in chosen[start:]:
            picture = _decoded(paths[index])
            try:
                yield prepare(picture, preparation)[None]
            except ImageError as error:
                raise _unusable(paths[index], error) from error

    labels = _classes_of(place, paths)
    return blocks, len(chosen), None if labels is None else labels[chosen]


def _decoded(path: str) -> NDArray[np.uint8]:
    try:
        return decode(path)
    except ImageError as error:
        raise _unusable(path, error) from error


def _unusable(path: str, error: ImageError) -> DatasetError:
    return DatasetError(f"Every picture must be usable. {path}: {error} Or remove it.")


def _classes_of(folder: Path, paths: list[str]) -> NDArray[np.int64] | None:
    """Return the class of each picture where they lie in several folders: a folder is a class, as for training."""
    if not folder.is_dir():
        return None
    places = [Path(path).relative_to(folder).parts for path in paths]
    names = sorted({parts[0] for parts in places})
    if len(names) < 2 or any(len(parts) == 1 for parts in places):
        return None
    return np.array([names.index(parts[0]) for parts in places], np.int64)


def _drawn(count: int, size: int, seed: int) -> NDArray[np.int64]:
    """Return the indices of the drawn ones, in order."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:size])
