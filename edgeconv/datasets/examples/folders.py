"""Examples in folders: pictures, and beside them their masks or the pictures that ought to come out, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets.examples.truth import VOID, classes_of
from edgeconv.errors import DatasetError
from edgeconv.manifest import Manifest
from edgeconv.pictures.decoding import decode
from edgeconv.pictures.listing import find_pictures, visible_entries
from edgeconv.pictures.masks import read_classes
from edgeconv.pictures.preparation import prepare
from edgeconv.pictures.resampling import nearest
from edgeconv.preparation import Preparation
from edgeconv.progress import Progress

IMAGES = ("images", "imgs", "image", "inputs")
TRUTH = {"mask": ("masks", "labels", "annotations", "mask"), "picture": ("targets", "outputs", "target")}
"""What the folders of pictures, and of what ought to come out, may be called, in any case."""

MASK_SUFFIXES = ("_mask", "-mask", "_seg", "_label")
"""What the name of a mask may have behind that of its picture."""


def read_folder_examples(
    folder: Path, manifest: Manifest, progress: Progress
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return pictures as the model takes them, and what ought to come out where there is a folder of that.

    Raises:
        DatasetError: there are no pictures, one is damaged, or one has no partner.
    """
    preparation = preparation_of(manifest)
    found = {path.name.lower(): path for path in visible_entries(folder) if path.is_dir()}
    images = next((found[name] for name in IMAGES if name in found), None)
    partners = next((found[name] for name in TRUTH.get(manifest.task, ()) if name in found), None)
    if images is None or partners is None:
        if manifest.task in TRUTH:
            progress.say(
                f"{folder}: without folders `images` and `{TRUTH[manifest.task][0]}`, there is nothing to be right by."
            )
        return {manifest.input.name: read_pictures(list(find_pictures(str(folder))), preparation, progress)}, {}
    pictures = [Path(path) for path in find_pictures(str(images))]
    by_stem = {_bare(path): path for path in map(Path, find_pictures(str(partners)))}
    alone = [path.name for path in pictures if path.stem not in by_stem]
    if alone or not pictures:
        named = f"{', '.join(alone[:4])}{', ...' * (len(alone) > 4)}"
        raise DatasetError(
            f"{partners}: a picture of the name of each in {images} is required. Missing: {named or 'all'}, "
            f"{len(alone)} of {len(pictures)}. Add them."
        )
    read = _mask_reader(manifest, preparation) if manifest.task == "mask" else _picture_reader(manifest, preparation)
    right = np.stack([read(by_stem[path.stem]) for path in pictures])
    return {manifest.input.name: read_pictures(list(map(str, pictures)), preparation, progress)}, {
        manifest.output.name: right
    }


def preparation_of(manifest: Manifest) -> Preparation:
    """Return how pictures become a model's input.

    Raises:
        DatasetError: it takes none, or does not say how.
    """
    if manifest.preprocess is None or manifest.more_inputs:
        raise DatasetError(
            f"`{manifest.name}` must take a picture, and say how one becomes its input. Received: a model of "
            f"{manifest.input.dtype} {manifest.input.shape}. Give arrays by name in an .npz file."
        )
    return manifest.preprocess


def read_pictures(paths: Sequence[str], preparation: Preparation, progress: Progress) -> NDArray[np.uint8]:
    """Return files as a model takes them: uint8, (n, height, width, channels), 0-255.

    Raises:
        DatasetError: there are none.
        ImageError: one is damaged.
    """
    if not paths:
        raise DatasetError("Pictures are required. Received: none. Name a folder of pictures.")
    made = np.empty((len(paths), preparation.height, preparation.width, preparation.channels), np.uint8)
    with progress.bar("Pictures", len(paths)) as advance:
        for place, path in enumerate(paths):
            made[place] = prepare(decode(path), preparation)
            advance(1, "")
    return made


def _bare(path: Path) -> str:
    """Return the name of the picture that a mask is of."""
    return next((path.stem.removesuffix(end) for end in MASK_SUFFIXES if path.stem.endswith(end)), path.stem)


def _mask_reader(manifest: Manifest, preparation: Preparation) -> Callable[[Path], NDArray[np.int16]]:
    count, nearest_pixel = len(manifest.labels), replace(preparation, channels=1, filter="nearest")
    height, width = (int(side) if isinstance(side, int) else None for side in manifest.output.shape[1:3])

    def read(path: Path) -> NDArray[np.int16]:
        classes = classes_of(str(path), read_classes(path), min(count, 254))
        # What is padded is nobody's: classes go through the preparation one higher, and 0 is no class.
        fitted = prepare((classes + 1).astype(np.uint8)[..., None], nearest_pixel)[..., 0].astype(np.int16) + VOID
        rows, columns = nearest(len(fitted), height or len(fitted)), nearest(fitted.shape[1], width or fitted.shape[1])
        return np.asarray(fitted[rows][:, columns])

    return read


def _picture_reader(manifest: Manifest, preparation: Preparation) -> Callable[[Path], NDArray[np.float32]]:
    height, width, channels = manifest.output.shape[1:]
    bounds = manifest.output.value_range
    if bounds is None or not (isinstance(height, int) and isinstance(width, int)):
        raise DatasetError(
            f"`{manifest.name}` must say what range and size its pictures have. Received: {bounds}, "
            f"{manifest.output.shape}. Give what ought to come out as arrays in an .npz file."
        )
    wanted = replace(preparation, height=height, width=width, channels=int(channels))

    def read(path: Path) -> NDArray[np.float32]:
        return np.asarray(prepare(decode(path), wanted) / 255.0 * (bounds[1] - bounds[0]) + bounds[0], np.float32)

    return read
