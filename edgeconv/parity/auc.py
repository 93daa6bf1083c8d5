"""The area under the ROC curve, by ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def area_under_curve(scores: NDArray[Any], right: NDArray[Any]) -> float | None:
    """Return the chance that a yes has a higher score than a no, 0 to 1; ties count half.

    The statistic of Mann and Whitney over the number of pairs, which is the area under the ROC curve (J. A. Hanley,
    B. J. McNeil, Radiology 143, 1982).

    Args:
        scores: (n,); any scale.
        right: bool, (n,).

    Returns:
        The area; None where there is no yes, or no no.

    Example:
        >>> area_under_curve(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
        0.75
    """
    yes = int(right.sum())
    pairs = yes * (len(right) - yes)
    if not pairs:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - 0.5 * (counts - 1))[places.reshape(-1)]
    return float((ranks[right].sum() - 0.5 * yes * (yes + 1)) / pairs)
