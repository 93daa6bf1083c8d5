"""Examples in a table: a column of pictures, and columns of what is right of each."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.artifact import open_regular
from edgeconv.datasets.checks import most_text_bytes
from edgeconv.datasets.examples.folders import preparation_of, read_pictures
from edgeconv.datasets.examples.truth import truth_of
from edgeconv.errors import DatasetError, one_line
from edgeconv.manifest import Manifest
from edgeconv.pictures.decoding import EXTENSIONS
from edgeconv.progress import Progress
from edgeconv.tasks import CLASSES, YES_NO

FILE_COLUMNS = ("file", "filename", "file_name", "image", "image_name", "image_id", "path", "id")
"""What the column of the pictures may be called, in any case; else it is the first."""

BETWEEN_TAGS = re.compile(r"[\s,;|]+")
Rows = list[list[str]]


def read_table_examples(
    path: Path, manifest: Manifest, progress: Progress
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return the pictures of a table as the model takes them, and what its other columns say is right.

    Pictures lie beside the table, or in a folder beside it that is called `images` or as the table; their endings may
    be left out. Columns have the names of the model's labels, each with a number (0 or 1 for tags), or there is one
    column: the name of a class, the names of the tags that there are, or a number.

    Raises:
        DatasetError: the table or a picture cannot be read, or the columns are not those of the model.
    """
    preparation, (header, *rows) = preparation_of(manifest), _read(path)
    place = next((n for n, name in enumerate(header) if name.lower() in FILE_COLUMNS), 0)
    others = [name for n, name in enumerate(header) if n != place]
    cells = [[cell for n, cell in enumerate(row) if n != place] for row in rows]
    right = truth_of(str(path), _truth(path, manifest, others, cells), manifest, manifest.output)
    pictures = [_picture(path, row[place]) for row in rows]
    return {manifest.input.name: read_pictures(pictures, preparation, progress)}, {manifest.output.name: right}


def _read(path: Path) -> Rows:
    try:
        with TextIOWrapper(open_regular(path, most_text_bytes()), "utf-8-sig", newline="") as file:
            sample = file.readline()
            file.seek(0)
            between = max("\t;,", key=sample.count)
            rows = [[cell.strip() for cell in row] for row in csv.reader(file, delimiter=between) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise DatasetError(f"{path}: a table is required. Received: {one_line(error)}. Save it as UTF-8.") from error
    ragged = [number for number, row in enumerate(rows, 1) if len(row) != len(rows[0])]
    if len(rows) < 2 or len(rows[0]) < 2 or ragged:
        received = f"{len(rows[ragged[0] - 1])} in line {ragged[0]}" if ragged else f"{len(rows)} lines"
        raise DatasetError(
            f"{path}: a line of names, and lines of as many cells, are required. Received: {received}. Begin it with "
            "`file,label`."
        )
    return rows


def _picture(path: Path, name: str) -> str:
    folders = (path.parent, path.parent / "images", path.parent / path.stem)
    endings = ("", *EXTENSIONS)
    places = (folder / f"{name}{end}" for folder in folders for end in endings)
    found = next((place for place in places if os.path.isfile(place)), None)  # noqa: PTH113 - of names of any length
    if found is None:
        raise DatasetError(
            f"{path}: each picture must lie beside the table or in `images` there. Received: {name!r}, which does not. "
            "Check the names."
        )
    return str(found)


def _truth(path: Path, manifest: Manifest, columns: Sequence[str], cells: Rows) -> NDArray[Any]:
    labels = manifest.labels
    if set(labels) <= set(columns):
        return np.array([[_number(path, row[columns.index(label)]) for label in labels] for row in cells])
    if len(columns) == 1:
        return np.array([_one(path, manifest, row[0]) for row in cells])
    numbered = labels == tuple(map(str, range(len(labels))))
    if numbered and len(columns) == len(labels):
        return np.array([[_number(path, cell) for cell in row] for row in cells])
    raise DatasetError(
        f"{path}: a column for each of {', '.join(labels) or 'the outputs'} is required, or one column. Received: "
        f"{', '.join(columns)}. Name the columns by the model's labels."
    )


def _one(path: Path, manifest: Manifest, cell: str) -> Any:
    """Return what one cell says: the index of a class, a flag for each tag, or a number."""
    labels = manifest.labels
    if manifest.task in {CLASSES, YES_NO}:
        return labels.index(cell) if cell in labels else _number(path, cell)
    if manifest.task == "tags":
        named = set(filter(None, BETWEEN_TAGS.split(cell)))
        if unknown := named - set(labels):
            raise DatasetError(
                f"{path}: tags must be of {', '.join(labels)}. Received: {', '.join(sorted(unknown))}. Export the "
                "model with `--labels`."
            )
        return [label in named for label in labels]
    return _number(path, cell)


def _number(path: Path, cell: str) -> float | int:
    try:
        number = float(cell)
    except ValueError:
        raise DatasetError(
            f"{path}: numbers, or labels of the model, are required. Received: {cell!r}. Export it with `--labels`."
        ) from None
    return int(number) if number.is_integer() else number
