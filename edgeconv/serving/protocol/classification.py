"""Triton's classification extension: of an output the best classes, as strings ``value:index:label``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InputError
from edgeconv.serving.protocol.request import WantedOutput


def best_classes(array: NDArray[Any], wanted: WantedOutput, labels: Sequence[str]) -> NDArray[np.object_]:
    """Return the best classes of an output, (..., classes), best first; of equal ones that of the lower index.

    Args:
        array: numbers, (..., classes).
        wanted: how many classes.
        labels: their names, or none.

    Raises:
        InputError: the output has no axis of classes.
    """
    if array.ndim == 0 or array.dtype.kind not in "iuf":
        raise InputError(
            f"`classification` requires an output with an axis of classes. Received: `{wanted.name}`, {array.dtype} "
            f"{array.shape}. Ask for its numbers."
        )
    rows = array.reshape(-1, array.shape[-1])
    count = min(wanted.classes, array.shape[-1])
    ranked = np.argsort(-rows.astype(np.float64), axis=1, kind="stable")[:, :count]
    found = np.empty(ranked.shape, object)
    named = len(labels) == array.shape[-1]
    for place, chosen in np.ndenumerate(ranked):
        index = int(chosen)
        name = f":{labels[index]}" if named else ""
        found[place] = f"{rows[place[0], index]:f}:{index}{name}".encode()
    return found.reshape(*array.shape[:-1], count)
