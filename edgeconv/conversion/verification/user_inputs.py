"""The user's own inputs, from an `.npz`: arrays by the names of the model's inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.verification.npz_rows import read_headers
from edgeconv.errors import ConfigError

Arrays = Mapping[str, NDArray[Any]]


def read_inputs(path: Path) -> dict[str, NDArray[Any]]:
    """Read arrays without running code that their file carries.

    Raises:
        ConfigError: the file is no `.npz` of arrays of numbers, all of them with as many rows, or damaged.
    """
    return {name: rows.whole() for name, rows in read_headers(path).items()}


def fitted(arrays: Arrays, ports: tuple[Port, ...], path: str | Path) -> dict[str, NDArray[Any]]:
    """Return an array for each input of a model, in its dtype; a lone array needs no name.

    Raises:
        ConfigError: an input has no array, or one of another shape, or one that its dtype cannot hold.
    """
    found: dict[str, NDArray[Any]] = {}
    for port in ports:
        array = next(iter(arrays.values())) if len(ports) == len(arrays) == 1 else arrays.get(port.name)
        check_shape(port, None if array is None else array.dtype, None if array is None else array.shape, arrays, path)
        if array is not None:
            if not is_held(array, port):
                check_values(port, array.dtype, float(array.min()), float(array.max()), path, held=False)
            found[port.name] = array.astype(port.dtype)
    return found


def check_shape(
    port: Port, dtype: np.dtype[Any] | None, shape: tuple[int, ...] | None, names: Iterable[str], path: str | Path
) -> None:
    """Raise ConfigError unless an array of this dtype and shape is one for the input; None: there is no array.

    Args:
        port: the input.
        dtype: of the array.
        shape: of the array, with its batch axis.
        names: the arrays that there are.
        path: their file.
    """
    fits = shape is not None and len(shape) == len(port.shape) + 1
    if not fits or any(size not in {None, got} for size, got in zip(port.shape, (shape or ())[1:], strict=True)):
        received = "nothing" if shape is None else f"{dtype} {shape}"
        raise ConfigError(
            f"`{path}` must hold `{port.name}`, {port.dtype} {port.axes}. Received: {received} among "
            f"{', '.join(names)}. Save one array for each input of the model."
        )


def is_held(array: NDArray[Any], port: Port) -> bool:
    """Tell whether the input's dtype holds every value: whole numbers do not hold fractions."""
    if np.dtype(port.dtype).kind not in "iub":
        return True
    with np.errstate(invalid="ignore"):  # NaN is held by no whole number, and found to be unequal.
        return np.array_equal(array.astype(port.dtype), array)


def check_values(port: Port, dtype: np.dtype[Any], low: float, high: float, path: str | Path, *, held: bool) -> None:
    """Raise ConfigError unless the values, from `low` to `high`, are held by the input's dtype; see `is_held`."""
    if not held:
        raise ConfigError(
            f"`{path}` must hold `{port.name}` as {port.dtype}. Received: {dtype} from {low:g} to {high:g}, which that "
            "cannot hold. Save what the model really takes."
        )
