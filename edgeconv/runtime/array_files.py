"""Arrays of a model that takes no picture, read from `.npz` and `.npy` files, or about to become text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.array_sizes import check_arrays
from edgeconv.artifact import require_regular
from edgeconv.errors import InferenceError, InputError, one_line

SUFFIXES = (".npz", ".npy")


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by the names of inputs.

    Args:
        path: an `.npz` with an array for each input, or, of a model with one input, an `.npy`.
        names: of the inputs.

    Raises:
        InputError: the file is absent, damaged, or has no names where several are needed.
    """
    try:
        require_regular(path)
        check_arrays(path)
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            found = {"": loaded}
        else:
            with loaded:
                found = dict(loaded)
    except FileNotFoundError:
        raise InputError(f"`{path}` must be an .npz or .npy file. Received: no such file. Check the path.") from None
    except Exception as error:  # Damaged bytes fail in every way there is: of the archive, the header, the memory.
        raise InputError(
            f"`{path}` must be an .npz or .npy file of numbers. Received: {one_line(error)}. "
            "Write it with `numpy.savez`."
        ) from error
    if "" in found and len(names) > 1:
        raise InputError(
            f"`{path}` must hold the arrays {', '.join(names)}. Received: one array without a name. "
            "Write them with `numpy.savez`, by their names."
        )
    return {names[0]: found[""]} if "" in found else found


def checked_for_text(arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """Return arrays by name whose numbers JSON has.

    Raises:
        InferenceError: there is NaN or infinity in them.
    """
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InferenceError(
                f"`{name}` must hold finite numbers to be written as text. Received: NaN or infinity. Take the bare "
                "arrays with `--format npz`."
            )
    return arrays
