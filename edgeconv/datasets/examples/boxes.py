"""Examples of detectors: pictures with boxes, as COCO's JSON or YOLO's text files have them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.artifact import read_regular
from edgeconv.boxes import CROWD, DETECTIONS
from edgeconv.datasets.checks import most_text_bytes
from edgeconv.datasets.examples.folders import preparation_of
from edgeconv.errors import DatasetError, one_line
from edgeconv.manifest import Manifest
from edgeconv.pictures.decoding import decode_sized
from edgeconv.pictures.listing import find_pictures
from edgeconv.pictures.placing import fitted_boxes
from edgeconv.pictures.preparation import prepare
from edgeconv.progress import Progress

Arrays = dict[str, NDArray[Any]]
Boxes = NDArray[np.float32]
"""float32, (n, 6): two corners in pixels of the picture, 1 or `CROWD`, and the class."""

MOST_LABEL_BYTES = 2_000_000
"""Most bytes of the boxes of one picture."""

Told = Callable[[tuple[int, ...]], Boxes]
"""From (height, width) of a picture to its boxes."""


def read_coco(path: Path, manifest: Manifest, progress: Progress, count: int | None = None) -> tuple[Arrays, Arrays]:
    """Return the pictures of a COCO file as the model takes them, and their boxes.

    Pictures lie beside the file, in `images` there or one folder up, or there in a folder that the file's name ends
    with, as `val2017` of `annotations/instances_val2017.json`. Categories are the model's labels by their names; where
    it has none but numbers, they come in the order of their ids.

    Raises:
        DatasetError: it is no such file, a picture is not there, or a category is none of the labels.
    """
    try:
        content = json.loads(read_regular(path, most_text_bytes()))
        files = {image["id"]: str(image["file_name"]) for image in content["images"]}
        numbers = _numbers(path, {entry["id"]: str(entry["name"]) for entry in content["categories"]}, manifest)
        boxes: dict[Any, list[tuple[float, ...]]] = {key: [] for key in files}
        for entry in content["annotations"]:
            x, y, width, height = _finite(entry["bbox"])
            weight = CROWD if entry.get("iscrowd") else 1.0
            row = (x, y, x + width, y + height, weight, numbers[entry["category_id"]])
            boxes[entry["image_id"]].append(row)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DatasetError(
            f"{path}: the images, annotations and categories of COCO are required. Received: "
            f"{type(error).__name__}: {one_line(error)}. Export the data in COCO's format."
        ) from error
    part = path.stem.rpartition("_")[2]
    folders = (path.parent, path.parent / "images", path.parent.parent / "images", path.parent.parent / part)
    first = list(files.items())[:count]
    told = [(_found(path, name, folders), _as_they_are(boxes[key])) for key, name in first]
    return _read(told, manifest, progress)


def yolo_folders(place: Path) -> tuple[Path, Path] | None:
    """Return the folders of pictures and of labels in YOLO's format, or None where there are none.

    Args:
        place: the folder of `images` and `labels`, or a folder in `images`, as `data/images/val`.
    """
    if (place / "images").is_dir() and (place / "labels").is_dir():
        return place / "images", place / "labels"
    parts = list(place.resolve().parts)
    if "images" not in parts:
        return None
    parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return (place, Path(*parts)) if Path(*parts).is_dir() else None


def read_yolo(
    images: Path, labels: Path, manifest: Manifest, progress: Progress, count: int | None = None
) -> tuple[Arrays, Arrays]:
    """Return the pictures of a folder in YOLO's format as the model takes them, and their boxes.

    In the folder of labels there is a text file of the name of each picture that has boxes: a line for each, the number
    of the class, then centre, width and height as shares of the picture.

    Raises:
        DatasetError: there are no pictures, or a line is none of these.
    """
    pictures = list(map(Path, find_pictures(str(images))))[:count]
    if not pictures:
        raise DatasetError(f"{images}: pictures are required. Received: none. Name the folder that has them.")
    files = [labels / path.relative_to(images).with_suffix(".txt") for path in pictures]
    told = [_in_shares(file, len(manifest.labels)) for file in files]
    return _read(list(zip(pictures, told, strict=True)), manifest, progress)


def _read(told: Sequence[tuple[Path, Told]], manifest: Manifest, progress: Progress) -> tuple[Arrays, Arrays]:
    preparation = preparation_of(manifest)
    images = np.empty((len(told), preparation.height, preparation.width, preparation.channels), np.uint8)
    boxes = []
    with progress.bar("Pictures", len(told)) as advance:
        for place, (path, boxes_of) in enumerate(told):
            picture, size = decode_sized(path)
            images[place] = prepare(picture, preparation)
            del picture  # Before the next one is there.
            rows = boxes_of(size)
            rows[:, :4] = fitted_boxes(rows[:, :4], preparation, size)
            boxes.append(rows)
            advance(1, "")
    right = np.zeros((len(told), max(map(len, boxes), default=0), 6), np.float32)
    right[..., 5] = -1.0
    for place, rows in enumerate(boxes):
        right[place, : len(rows)] = rows
    return {manifest.input.name: images}, {DETECTIONS: right}


def _numbers(path: Path, categories: Mapping[Any, str], manifest: Manifest) -> dict[Any, int]:
    """Return the class of each category."""
    labels = manifest.labels
    if labels == tuple(map(str, range(len(labels)))) and len(categories) == len(labels):
        return {key: place for place, key in enumerate(sorted(categories))}
    unknown = [name for name in categories.values() if name not in labels]
    if unknown:
        raise DatasetError(
            f"{path}: categories must be labels of the model, {', '.join(labels[:8])}{', ...' * (len(labels) > 8)}. "
            f"Received: {', '.join(unknown[:4])}. Export the model with their names, `--labels`."
        )
    return {key: labels.index(name) for key, name in categories.items()}


def _found(path: Path, name: str, folders: Iterable[Path]) -> Path:
    found = next((each for folder in folders if os.path.isfile(each := folder / name)), None)  # noqa: PTH113 - of names of any length
    if found is None:
        raise DatasetError(
            f"{path}: each picture must lie beside it, or in `images` there or one folder up. Received: {name!r}, "
            "which does not. Check the folder."
        )
    return found


def _as_they_are(rows: Sequence[tuple[float, ...]]) -> Told:
    return lambda _: np.array(rows, np.float32).reshape(-1, 6)


def _in_shares(path: Path, count: int) -> Told:
    rows = []
    for number, line in enumerate(filter(str.strip, _lines(path)), 1):
        try:
            kind, x, y, width, height = _finite(line.split()[:5])
        except ValueError:
            kind = -1.0
        if not 0 <= kind < count or not kind.is_integer():
            raise DatasetError(
                f"{path}: a class from 0 to {count - 1}, and centre, width and height as shares, are required. "
                f"Received: {line.strip()[:60]!r} in line {number}. Write `0 0.5 0.5 0.2 0.1`."
            )
        rows.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2, 1.0, kind))
    shares = np.array(rows, np.float32).reshape(-1, 6)
    return lambda size: shares * np.array([size[1], size[0], size[1], size[0], 1.0, 1.0], np.float32)


def _lines(path: Path) -> list[str]:
    try:
        return read_regular(path, MOST_LABEL_BYTES).decode("utf-8").splitlines() if path.is_file() else []
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: text in UTF-8 is required. Received: {one_line(error)}. Save it so.") from error


def _finite(numbers: Iterable[Any]) -> list[float]:
    """Return finite numbers, or raise ValueError."""
    found = list(map(float, numbers))
    if not all(map(math.isfinite, found)):
        raise ValueError("NaN or infinity")
    return found
