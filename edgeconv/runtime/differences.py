"""How far an output lies from what it should be, cell by cell: a pixel, a step of a sequence, a number.

Of an output with many answers a few may be off without harm. int8 moves an edge in a mask by a pixel, which is then
off by a whole class, and the gates of the export allow for it: they count the pixels that flip, not how far the worst
one is off. So the cells that are far off are counted, and the others are measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeconv.tasks import BOXES

LARGEST_SHARE = 0.2
"""Of the range of an output: a cell that differs by more is far off."""

MOST_FAR = 0.05
"""Share of the cells that may be far off. int8 that loses 0.05 % of the mean IoU has 0.0004 of them in the worst mask,
with red and blue exchanged it is 0.1, and with the picture moved by a pixel 0.06."""

MOST_BOXES_FAR = 0.01
"""The same of the places of a detector, most of which are empty."""


def cell_of(dtype: str, shape: Sequence[int | str | None]) -> int:
    """Return how many numbers a cell of an output has: the last axis of floats of three axes or more.

    Example:
        >>> cell_of("float32", (None, 48, 48, 4)), cell_of("float32", (None, 10)), cell_of("int64", (None, 8, 6))
        (4, 1, 1)
    """
    last = shape[-1] if len(shape) > 2 and dtype.startswith("float") else 1
    return last if isinstance(last, int) and last > 0 else 1


def most_far(task: str, shape: Sequence[int | str | None]) -> float:
    """Return the share of an output's cells that may be far off: none where an input has one answer, (batch, numbers).

    Args:
        task: of the model, a key of `TASKS`.
        shape: of the output.
    """
    return MOST_BOXES_FAR if task == BOXES else MOST_FAR if len(shape) > 2 else 0.0


def share_beyond(received: NDArray[np.generic], wanted: NDArray[np.generic], limit: float, cell: int = 1) -> float:
    """Return the share of the cells that differ by more than a limit."""
    off = cell_differences(received, wanted, cell)
    return float(np.count_nonzero(off > limit) / max(off.size, 1))


def difference(received: NDArray[np.generic], wanted: NDArray[np.generic], cell: int = 1, spared: float = 0.0) -> float:
    """Return the largest difference of the cells, without the share of them that is spared.

    Infinite where one has no number: none of these is spared.
    """
    off = cell_differences(received, wanted, cell)
    if not off.size or np.isinf(off.max()):
        return float(off.max(initial=0.0))
    return float(np.sort(off)[off.size - 1 - int(spared * off.size)])


def cell_differences(received: NDArray[np.generic], wanted: NDArray[np.generic], cell: int) -> NDArray[np.float64]:
    """Return the largest difference of each cell, (cells,)."""
    alike = received == wanted
    with np.errstate(invalid="ignore"):
        off = np.where(alike, 0.0, np.abs(received.astype(np.float64) - wanted.astype(np.float64)))
    return np.asarray(np.nan_to_num(off, nan=np.inf).reshape(-1, cell).max(axis=1, initial=0.0))
