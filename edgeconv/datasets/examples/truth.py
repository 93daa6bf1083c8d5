"""What is known to be right, brought to the form in which answers are judged by it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import DatasetError
from edgeconv.manifest import ArraySpec, Manifest
from edgeconv.tasks import CLASSES, YES_NO

WHITE = 255
"""How masks of two classes draw the second, and masks of more what nobody labelled."""

VOID = -1


def truth_of(what: str, array: NDArray[Any], manifest: Manifest, output: ArraySpec) -> NDArray[Any]:
    """Return what is right of an output, as `Examples.right` has it.

    Args:
        what: what the error calls the array.
        array: (n, ...): classes as indices or one-hot, tags and a yes or no as 0 and 1, others as the model answers; of
            a model that gives back its input also which samples are anomalies, 0 and 1, (n,).
        manifest: of the model.
        output: whose.

    Raises:
        DatasetError: the array does not fit the output.
    """
    task, last = output.meaning.task if output.meaning else manifest.task, output.shape[-1]
    if task == CLASSES:
        return _indices(what, array, len(manifest.labels) or int(last))
    if task in {"tags", YES_NO}:
        return _flags(what, array, int(last))
    if task == "mask":
        return _pixels(what, array, len(manifest.labels) or max(2, int(last)), output)
    if _marks_anomalies(array, manifest, output):
        return array.astype(bool)
    rows = array.reshape(len(array), 1) if array.ndim == 1 and len(output.shape) == 2 else array
    wanted = output.shape[1:]
    fits = rows.ndim == len(output.shape) and all(
        not isinstance(axis, int) or axis == size for axis, size in zip(wanted, rows.shape[1:], strict=True)
    )
    if not fits or rows.dtype.kind not in "fiub":
        raise _refused(what, f"numbers (n, {', '.join(map(str, wanted))})", array)
    return rows.astype(np.float32)


def _marks_anomalies(array: NDArray[Any], manifest: Manifest, output: ArraySpec) -> bool:
    """Whether flags are those of anomalies: of a model that gives back its input, in a range that is known."""
    given = manifest.input
    back = not manifest.more_inputs and not manifest.more_outputs and given.shape[1:] == output.shape[1:] != (1,)
    comparable = given.dtype != "uint8" or output.value_range is not None
    return array.ndim == 1 and back and comparable and bool(np.isin(array, (0, 1)).all())


def _indices(what: str, array: NDArray[Any], count: int) -> NDArray[np.int64]:
    classes = array.argmax(axis=1) if array.ndim == 2 and array.shape[1] == count > 1 else array.reshape(len(array), -1)
    if classes.size != len(array) or classes.dtype.kind not in "iub" or not _within(classes, count):
        raise _refused(what, f"whole numbers (n,), 0 to {count - 1}", array)
    return classes.reshape(-1).astype(np.int64)


def _flags(what: str, array: NDArray[Any], count: int) -> NDArray[np.bool_]:
    rows = array.reshape(len(array), 1) if array.ndim == 1 else array
    if rows.shape != (len(array), count) or not np.isin(rows, (0, 1)).all():
        raise _refused(what, f"0 and 1, (n, {count})", array)
    return rows.astype(bool)


def _pixels(what: str, array: NDArray[Any], count: int, output: ArraySpec) -> NDArray[np.int16]:
    if len(output.shape) != 4:
        raise _refused(what, "of a model that answers (batch, height, width, classes)", array)
    height, width, channels = output.shape[1:]
    maps = array.argmax(axis=-1) if array.ndim == 4 and array.shape[-1] == channels != 1 else array
    maps = maps[..., 0] if maps.ndim == 4 and maps.shape[-1] == 1 else maps
    sizes_fit = maps.ndim == 3 and all(
        not isinstance(side, int) or side == size for side, size in zip((height, width), maps.shape[1:], strict=True)
    )
    if not sizes_fit or not np.array_equal(maps, maps.astype(np.int64)):
        raise _refused(what, f"the class of each pixel, (n, {height}, {width})", array)
    return classes_of(what, maps.astype(np.int64), count)


def classes_of(what: str, values: NDArray[Any], count: int) -> NDArray[np.int16]:
    """Return the class of each pixel, -1 where nobody labelled it, of values as masks hold them.

    Of two classes, 255 is the second; of more, 255 is a pixel without a label.

    Args:
        what: what the error calls the mask.
        values: whole numbers of any shape.
        count: of the classes.
    """
    white = 1 if count == 2 else VOID
    values = values.astype(np.int16) if values.dtype == np.uint8 else values  # -1 is to fit in.
    classes = np.where(values == WHITE, white, values) if count <= WHITE else values
    if not _within(classes, count, least=VOID):
        raise DatasetError(
            f"{what}: classes of pixels must be 0 to {count - 1}, or 255. Received: "
            f"{', '.join(map(str, np.unique(values)[:8]))}. Save the index of each class."
        )
    return np.asarray(classes, np.int16)


def _within(classes: NDArray[Any], count: int, least: int = 0) -> bool:
    return bool(classes.size and classes.min() >= least and classes.max() < count)


def _refused(what: str, wanted: str, array: NDArray[Any]) -> DatasetError:
    values = f", {array.min():g} to {array.max():g}" if array.size and array.dtype.kind in "fiub" else ""
    return DatasetError(f"{what}: must be {wanted}. Received: {array.dtype} {array.shape}{values}. Save it so.")
