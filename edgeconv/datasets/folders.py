"""Read pictures that are sorted into one subfolder a class."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets.assembly import preparation_of
from edgeconv.datasets.dataset import Split
from edgeconv.datasets.reading import Reading
from edgeconv.datasets.spec import DatasetSpec
from edgeconv.datasets.splitting import stratified_split
from edgeconv.errors import DatasetError, ImageError
from edgeconv.formatting import format_size
from edgeconv.pictures.decoding import EXTENSIONS, decode
from edgeconv.pictures.listing import is_picture, visible_entries
from edgeconv.pictures.preparation import is_cropped, other_aspect, prepare
from edgeconv.progress import Progress

DEFAULT_SIZE = {"digit": (28, 28), "resize": (64, 64)}
"""Height and width in pixels where none is asked for: MNIST's, and a size that small convnets and CPUs can take."""

TRAIN_FOLDERS = ("train", "training")
TEST_FOLDERS = ("test", "testing", "val", "valid", "validation")
"""What the folders of the splits may be called, in any case; the first of each that is there is the split."""


@dataclass(frozen=True)
class _Listing:
    """The pictures of some class folders, in order, and the class of each."""

    names: tuple[str, ...]
    paths: list[Path]
    labels: NDArray[np.int64]
    ignored: list[Path]


@dataclass(frozen=True)
class _SplitFolders:
    """The folders of the two splits, and the names of the other folders beside them."""

    train: Path
    test: Path
    unused: tuple[str, ...]


def read_folders(folder: Path, spec: DatasetSpec, progress: Progress) -> Reading:
    """Read a folder of class folders, or one with such folders in `train` and `test`, by any of their usual names.

    Classes are in the order of their sorted names. Hidden files are ignored silently, other files that are no
    pictures with a word. Pictures are decoded one at a time, straight into the array that is returned.

    Args:
        folder: `<class>/<picture>` or `train/<class>/<picture>` and `test/<class>/<picture>`.
        spec: image_size, channels, preparation, and val_split and seed where there is no `test`.
        progress: hears what is done, and sees a bar of pictures.

    Returns:
        Its images, uint8, (n, height, width, channels), 0-255, both splits, and the names of the classes.

    Raises:
        DatasetError: a class is empty or too small, the classes of `train` and `test` differ, there are no class
            folders, or a picture is damaged. Names the folder or file.
    """
    splits = _split_folders(folder)
    if splits is not None:
        train, test = _list(splits.train), _list(splits.test)
        _require_same_classes(train, test, folder, splits)
        if splits.unused:
            progress.say(f"{folder}: {splits.test.name} is the test split. Not used: {', '.join(splits.unused)}.")
        paths, labels = train.paths + test.paths, np.concatenate([train.labels, test.labels])
        first, ignored = len(train.paths), train.ignored + test.ignored
    else:
        train = _list(folder)
        learn, judge = stratified_split(train.labels, spec.val_split, spec.seed, str(folder), train.names)
        order = np.concatenate([learn, judge])
        paths, labels = [train.paths[index] for index in order], train.labels[order]
        first, ignored = len(learn), train.ignored
    if ignored:
        progress.say(f"{folder}: {len(ignored)} files are not pictures and were ignored, such as {ignored[0]}.")
    images = _read_pictures(paths, spec, progress)
    parts = (Split(images[:first], labels[:first]), Split(images[first:], labels[first:]))
    return Reading(str(folder), *parts, train.names, tuple(paths[first:]))


def _split_folders(folder: Path) -> _SplitFolders | None:
    """Return the folders of the splits, or None where the subfolders are classes: those hold pictures, no folders."""
    found = [path for path in visible_entries(folder) if path.is_dir()]

    def called(names: tuple[str, ...]) -> list[Path]:
        named = [path for name in names for path in found if path.name.lower() == name]
        return [path for path in named if any(entry.is_dir() for entry in visible_entries(path))]

    train, tests = called(TRAIN_FOLDERS), called(TEST_FOLDERS)
    if len(train) != 1 or not tests:
        return None
    unused = sorted(path.name for path in found if path not in (train[0], tests[0]))
    return _SplitFolders(train[0], tests[0], tuple(unused))


def _list(folder: Path) -> _Listing:
    entries = visible_entries(folder)
    classes = [path for path in entries if path.is_dir()]
    if len(classes) < 2:
        raise DatasetError(
            f"{folder}: at least 2 subfolders, one for each class, are required. Received: {len(classes)} "
            f"subfolders and {len(entries) - len(classes)} files. Sort pictures into folders named by class."
        )
    paths: list[Path] = []
    labels: list[int] = []
    ignored = [path for path in entries if not path.is_dir()]
    for index, folder_of_class in enumerate(classes):
        members = visible_entries(folder_of_class)
        pictures = [path for path in members if is_picture(path)]
        if not pictures:
            raise DatasetError(
                f"{folder_of_class}: pictures ({', '.join(sorted(EXTENSIONS))}) are required. Received: none. "
                "Add at least 2 or remove the folder."
            )
        paths += pictures
        labels += [index] * len(pictures)
        ignored += sorted(set(members) - set(pictures))
    return _Listing(tuple(path.name for path in classes), paths, np.array(labels, np.int64), ignored)


def _require_same_classes(train: _Listing, test: _Listing, folder: Path, splits: _SplitFolders) -> None:
    only_train, only_test = sorted(set(train.names) - set(test.names)), sorted(set(test.names) - set(train.names))
    if only_train or only_test:
        raise DatasetError(
            f"{folder}: {splits.train.name} and {splits.test.name} must have the same classes. Received: only in "
            f"{splits.train.name}: {', '.join(only_train) or 'none'}; only in {splits.test.name}: "
            f"{', '.join(only_test) or 'none'}. Add what is missing."
        )


def _read_pictures(paths: list[Path], spec: DatasetSpec, progress: Progress) -> NDArray[np.uint8]:
    """Decode every picture into one array, uint8, (n, height, width, channels)."""
    kind = "resize" if spec.preparation == "auto" else spec.preparation
    height, width = spec.image_size or DEFAULT_SIZE[kind]
    if spec.image_size is None:
        progress.say(f"Pictures become {height}x{width}, the default image size.")
    preparation = preparation_of(kind, height, width, spec.channels or 1, spec.fitting)
    may_widen = spec.channels is None and kind == "resize"
    images = _allocate((len(paths), height, width, preparation.channels))
    cropped = 0
    with progress.bar("Reading pictures", len(paths)) as advance:
        for index, path in enumerate(paths):
            try:
                picture = decode(path)
                if may_widen and _has_colour(picture):
                    may_widen, preparation = False, replace(preparation, channels=3)
                    images = _widened(images, index)
                images[index] = prepare(picture, preparation)
                cropped += is_cropped(picture, preparation)
                del picture  # Before the next one is there.
            except ImageError as error:
                where = "" if str(path) in str(error) else f"{path}: "
                raise DatasetError(f"Every picture must be usable. {where}{error} Or remove the file.") from error
            advance(1, "")
    if cropped and kind == "resize" and spec.fit is None:
        progress.say(other_aspect(cropped, len(paths), preparation))
    return images


def _has_colour(picture: NDArray[np.uint8]) -> bool:
    grey = picture[..., :1]
    return picture.shape[2] > 1 and not bool((picture[..., 1:3] == grey).all())


def _widened(images: NDArray[np.uint8], filled: int) -> NDArray[np.uint8]:
    """Make room for colour: the grey images that are there already get three equal channels."""
    wide = _allocate((*images.shape[:3], 3))
    wide[:filled] = images[:filled]
    return wide


def _allocate(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    try:
        return np.empty(shape, np.uint8)
    except MemoryError as error:
        raise DatasetError(
            f"Images must fit into the memory. Received: {shape[0]} of {shape[1:]}, {format_size(math.prod(shape))}. "
            "Choose a smaller `image_size`."
        ) from error
