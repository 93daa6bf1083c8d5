"""Rounding column by column, each error made up for by the columns that are still to come.

E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh, "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
Transformers", ICLR 2023 (OPTQ): the error of a column is spread over the rest by the inverse of the layer's Hessian,
which is the Gram matrix of its inputs. No learning rate, no seed; a layer takes one Cholesky decomposition.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 128
"""Columns whose errors reach the rest at once, in one matrix product."""


def round_with_feedback(
    weights: NDArray[np.float64],
    scale: NDArray[np.float64],
    gram: NDArray[np.float64],
    pinned: NDArray[np.float64],
    highest: float,
) -> NDArray[np.float64]:
    """Round weights so that their products with the inputs stay, as far as whole steps allow.

    Args:
        weights: (groups, outputs, width).
        scale: what a step is worth, of the same shape as `weights`.
        gram: of the inputs, positive definite, (groups, width, width).
        pinned: whole steps that some weights get whatever it costs, not a number elsewhere; shaped as `weights`.
        highest: the largest number of steps, and with another sign the lowest.

    Returns:
        Whole steps, of the same shape as `weights`.
    """
    # The heaviest inputs first: while many columns are left to make up for their errors.
    order = np.argsort(-np.diagonal(gram, axis1=1, axis2=2), axis=1, kind="stable")
    left, worth, fixed = (np.take_along_axis(each, order[:, None], axis=2) for each in (weights, scale, pinned))
    ordered = np.take_along_axis(np.take_along_axis(gram, order[:, :, None], axis=1), order[:, None], axis=2)
    upper = np.linalg.cholesky(np.linalg.inv(ordered)).transpose(0, 2, 1)
    steps = np.empty_like(left)
    width = left.shape[2]
    for start in range(0, width, BLOCK):
        end = min(start + BLOCK, width)
        errors = np.empty((*left.shape[:2], end - start))
        for column in range(start, end):
            here = left[:, :, column]
            nearest = np.clip(np.rint(here / worth[:, :, column]), -highest, highest)
            steps[:, :, column] = np.where(np.isnan(fixed[:, :, column]), nearest, fixed[:, :, column])
            error = (here - steps[:, :, column] * worth[:, :, column]) / upper[:, None, column, column]
            left[:, :, column + 1 : end] -= error[:, :, None] * upper[:, None, column, column + 1 : end]
            errors[:, :, column - start] = error
        left[:, :, end:] -= errors @ upper[:, start:end, end:]
    found = np.empty_like(steps)
    np.put_along_axis(found, np.broadcast_to(order[:, None], steps.shape), steps, axis=2)
    return found
