"""Calibration samples from an `.npz` of arrays as the model takes them, by input, or an `.npy` for the only one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.int8.feeds import BLOCK_BYTES, Blocks
from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.verification.npz_rows import Rows, read_headers
from edgeconv.conversion.verification.user_inputs import check_shape, check_values, is_held
from edgeconv.parity.comparison import Feeds

ARRAY_NAMES = ("images", "x_train", "calibration")
"""The array of an `.npz` of several that the only input takes, the first that is there."""

LABEL_NAMES = ("labels", "y_train")
"""The array of an `.npz` that tells the classes, the first that is there."""

Draw = Callable[[int], NDArray[np.int64]]
"""The indices of those that are drawn of so many, in order."""


def blocks_of_arrays(path: Path, ports: Sequence[Port], draw: Draw) -> tuple[Blocks, int, NDArray[np.int64] | None]:
    """Return the samples of a file, how many they are, and their classes where it tells them.

    Raises:
        ConfigError: an input has no array, or one of another shape, or one that its dtype cannot hold.
    """
    arrays = read_headers(path)
    rows = [arrays.get(_name_of(port, ports, arrays)) for port in ports]
    found = [_checked(array, port, arrays, path) for array, port in zip(rows, ports, strict=True)]
    chosen = draw(found[0].shape[0])

    def blocks(start: int) -> Iterator[Feeds]:
        names = [port.name for port in ports]
        step = min(_step(array) for array in found)
        columns = (_chosen(array, port, chosen[start:], step) for array, port in zip(found, ports, strict=True))
        return (dict(zip(names, part, strict=True)) for part in zip(*columns, strict=True))

    return blocks, len(chosen), _labels_of(arrays, chosen)


def _name_of(port: Port, ports: Sequence[Port], arrays: dict[str, Rows]) -> str:
    if len(ports) > 1:
        return port.name
    return next((name for name in (*ARRAY_NAMES, port.name) if name in arrays), next(iter(arrays)))


def _checked(rows: Rows | None, port: Port, arrays: dict[str, Rows], path: Path) -> Rows:
    if rows is None:
        check_shape(port, None, None, arrays, path)
        raise ValueError("an input without an array is refused")
    check_shape(port, rows.dtype, (*rows.shape, 1) if _is_grey(rows, port) else rows.shape, [rows.name], path)
    _check_all_values(rows, port, path)
    return rows


def _is_grey(rows: Rows, port: Port) -> bool:
    """Tell whether an array lacks the one channel that the input has: grey images are often saved so."""
    return len(rows.shape) == len(port.shape) > 1 and port.shape[-1] == 1


def _step(rows: Rows) -> int:
    """Return how many samples are read at once."""
    return max(1, BLOCK_BYTES // max(1, rows.dtype.itemsize * int(np.prod(rows.shape[1:]))))


def _chosen(rows: Rows, port: Port, wanted: NDArray[np.int64], step: int) -> Iterator[NDArray[Any]]:
    """Yield the chosen samples of an input, those of so many rows at once."""
    seen = 0
    for block in rows.in_steps(step):
        here = wanted[(wanted >= seen) & (wanted < seen + len(block))] - seen
        seen += len(block)
        if len(here):
            samples = block[here].astype(port.dtype)
            yield samples[..., None] if _is_grey(rows, port) else samples
        if not len(wanted) or seen > wanted[-1]:
            return


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
