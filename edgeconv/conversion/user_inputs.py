"""The user's own inputs, from an `.npz`: arrays by the names of the model's inputs."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras_models.ports import Port
from edgeconv.errors import ConfigError

Arrays = Mapping[str, NDArray[Any]]


def read_inputs(path: Path) -> dict[str, NDArray[Any]]:
    """Read arrays without running code that their file carries.

    Raises:
        ConfigError: the file is no `.npz` of arrays of numbers, all of them with as many rows.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files} if isinstance(file, np.lib.npyio.NpzFile) else None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"`{path}` must be an .npz of arrays. Received: {' '.join(str(error).split())}. Save it with `np.savez`."
        ) from error
    rows = {array.shape[0] if array.ndim else 0 for array in (arrays or {}).values()}
    if not arrays or len(rows) != 1 or 0 in rows:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in (arrays or {}).items())
        raise ConfigError(
            f"`{path}` must hold arrays with the same number of rows, at least 1. Received: {shapes or 'no arrays'}. "
            "Save one array for each input of the model, (n, ...)."
        )
    return arrays


def fitted(arrays: Arrays, ports: tuple[Port, ...], path: str | Path) -> dict[str, NDArray[Any]]:
    """Return an array for each input of a model, in its dtype; a lone array needs no name.

    Raises:
        ConfigError: an input has no array, or one of another shape, or one that its dtype cannot hold.
    """
    found: dict[str, NDArray[Any]] = {}
    for port in ports:
        array = next(iter(arrays.values())) if len(ports) == len(arrays) == 1 else arrays.get(port.name)
        fits = array is not None and len(array.shape) == len(port.shape) + 1
        if (
            array is None
            or not fits
            or any(size not in {None, got} for size, got in zip(port.shape, array.shape[1:], strict=True))
        ):
            received = "nothing" if array is None else f"{array.dtype} {array.shape}"
            raise ConfigError(
                f"`{path}` must hold `{port.name}`, {port.dtype} {port.axes}. Received: {received} among "
                f"{', '.join(arrays)}. Save one array for each input of the model."
            )
        cast = array.astype(port.dtype)
        if np.dtype(port.dtype).kind in "iub" and not np.array_equal(cast, array):
            raise ConfigError(
                f"`{path}` must hold `{port.name}` as {port.dtype}. Received: {array.dtype} from {array.min():g} to "
                f"{array.max():g}, which that cannot hold. Save what the model really eats."
            )
        found[port.name] = cast
    return found
