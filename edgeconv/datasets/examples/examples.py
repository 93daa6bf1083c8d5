"""Examples: inputs of a model by name, and what is known to be right, by output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edgeconv.errors import DatasetError
from edgeconv.manifest import Manifest
from edgeconv.progress import SILENT, Progress

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Examples:
    """Inputs, and what ought to come out.

    Attributes:
        name: of the data.
        source: where they were read from.
        inputs: arrays by input, (n, ...), as the contract has them.
        right: by output, (n, ...): the indices of classes, int64; for tags, bool, (n, tags); for a yes or no, bool,
            (n, 1); for a mask, the class of each pixel, int16, (n, height, width), -1 where nobody labelled it; else
            float32 as the model answers. Outputs of which nothing is known are left out.
    """

    name: str
    source: str
    inputs: Arrays
    right: Arrays = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of examples."""
        return len(next(iter(self.inputs.values())))

    def first(self, count: int | None) -> Examples:
        """Return the first examples, or all."""
        inputs, right = ({name: array[:count] for name, array in part.items()} for part in (self.inputs, self.right))
        return replace(self, inputs=inputs, right=right)


def are_examples(place: str, *, takes_pixels: bool) -> bool:
    """Tell whether data of a classifier are examples, and no pictures in a folder or an array of each class.

    Args:
        place: where they lie.
        takes_pixels: whether the model takes raw pixels; one that takes floats may be given numbers of any kind.
    """
    return _is_table(place) or (holds_numbers(place) and not takes_pixels)


def _is_table(place: str) -> bool:
    return Path(place).suffix.lower() in {".csv", ".tsv"}


def holds_numbers(place: str) -> bool:
    """Tell whether data are arrays of numbers that are no pixels, which a model takes as they are, such as spectra."""
    if not place.lower().endswith(".npz"):
        return False
    from edgeconv.datasets.examples.arrays import OUTPUT_KEYS
    from edgeconv.datasets.npz import dtypes_of

    inputs = [dtype for name, dtype in dtypes_of(place).items() if name not in (*OUTPUT_KEYS, "y_train")]
    return bool(inputs) and all(dtype != "uint8" for dtype in inputs)


def open_examples(place: str, manifest: Manifest, progress: Progress = SILENT, *, count: int | None = None) -> Examples:
    """Read examples for a model.

    Args:
        place: an `.npz` of arrays by the names of inputs and outputs; a `.csv` of pictures and what is right of each; a
            folder with `images` and `masks` (or `targets`) of the same names; a folder of pictures alone; of detectors
            a COCO `.json`, or a folder with `images` and `labels` as YOLO has them.
        manifest: of the model.
        progress: hears what is left out, and sees a bar of pictures.
        count: how many pictures with boxes are read at most, from the first on; None reads all.

    Raises:
        DatasetError: they are absent or damaged, or do not fit the model.
    """
    from edgeconv.datasets.examples.arrays import read_npz_examples
    from edgeconv.datasets.examples.boxes import read_coco, read_yolo, yolo_folders
    from edgeconv.datasets.examples.folders import read_folder_examples
    from edgeconv.datasets.examples.table import read_table_examples

    path = Path(place).expanduser()
    if not path.exists():
        raise DatasetError(
            f"`dataset` must be a file or a folder. Received: {place!r}, which does not exist. Check the path."
        )
    if manifest.boxes is not None and path.suffix.lower() == ".json":
        inputs, right = read_coco(path, manifest, progress, count)
    elif manifest.boxes is not None and (folders := yolo_folders(path)) is not None:
        inputs, right = read_yolo(*folders, manifest, progress, count)
    elif path.is_dir():
        inputs, right = read_folder_examples(path, manifest, progress)
    elif path.suffix.lower() == ".npz":
        inputs, right = read_npz_examples(path, manifest)
        right = right if manifest.boxes is None else {}  # Arrays do not say which boxes are right.
    elif _is_table(place):
        inputs, right = read_table_examples(path, manifest, progress)
    else:
        raise DatasetError(
            f"`dataset` for the task {manifest.task} must be an .npz file, a "
            f"{'.csv' if manifest.boxes is None else 'COCO .json'} file or a folder. Received: "
            f"{place!r}. Save arrays with `numpy.savez`."
        )
    return Examples(path.stem if path.is_file() else path.name, str(path), inputs, right)
