"""Whole steps for the weights of a layer that make of the inputs it has what the float ones make of its float inputs.

Three roundings of each output channel are held against each other on rows of samples that none of them has seen: to
the nearest step; with error feedback; and with error feedback from weights that least squares moved to where they make
up for what int8 did to the inputs before. The last is the best where there are many rows for each weight, and the worst
where there are few, so that no rule decides, but those rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.int8.rounding.error_feedback import round_with_feedback
from edgeconv.conversion.int8.rounding.rows import Rows

DAMPING = 0.01
"""Share of the mean of the Gram matrix's diagonal that is added to it, as GPTQ does: rows may be fewer than weights."""

SPAN = 16
"""Rows in a block: at most those of one sample."""

HELD_OUT = 4
"""One block of so many judges; where there are fewer, each weight goes to its nearest step."""


def reconstruct(
    weights: NDArray[np.float64],
    scale: NDArray[np.float64],
    pinned: NDArray[np.float64],
    highest: float,
    given: Rows,
    received: Rows,
    *,
    centred: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return whole steps for the weights of a layer, and what its bias must get, (outputs,).

    Args:
        weights: (groups, outputs, width).
        scale: what a step is worth, of the same shape as `weights`.
        pinned: whole steps that some weights get whatever it costs, not a number elsewhere; shaped as `weights`.
        highest: the largest number of steps, and with another sign the lowest.
        given: rows of float inputs.
        received: rows of the same samples as the layers before leave them.
        centred: a bias makes up for the mean.
    """
    mean, shifted = (rows.mean(axis=1, keepdims=True, dtype=np.float64) * centred for rows in (given, received))
    steps = _best(weights, scale, pinned, highest, given - mean, received - shifted)
    shift = mean @ weights.transpose(0, 2, 1) - shifted @ (steps * scale).transpose(0, 2, 1)
    return steps, shift.ravel()


def _best(
    weights: NDArray[np.float64],
    scale: NDArray[np.float64],
    pinned: NDArray[np.float64],
    highest: float,
    given: NDArray[np.float64],
    received: NDArray[np.float64],
) -> NDArray[np.float64]:
    judging = np.arange(given.shape[1]) // SPAN % HELD_OUT == HELD_OUT - 1
    wanted, inputs = given[:, ~judging], received[:, ~judging]
    gram = _damped(inputs.transpose(0, 2, 1) @ inputs / inputs.shape[1])
    missing = weights @ ((wanted - inputs).transpose(0, 2, 1) @ inputs / inputs.shape[1])
    moved = weights + np.linalg.solve(gram, missing.transpose(0, 2, 1)).transpose(0, 2, 1)
    step, fixed = (np.tile(each, (1, 2, 1)) for each in (scale, pinned))
    both = round_with_feedback(np.concatenate([weights, moved], axis=1), step, gram, fixed, highest)
    nearest = np.clip(np.rint(weights / scale), -highest, highest)
    choices = np.stack([nearest, *np.split(both, 2, axis=1)])
    unseen, expected = received[:, judging], given[:, judging] @ weights.transpose(0, 2, 1)
    errors = np.stack(
        [((unseen @ (steps * scale).transpose(0, 2, 1) - expected) ** 2).sum(axis=1) for steps in choices]
    )
    best = errors.argmin(axis=0)
    return np.asarray(np.take_along_axis(choices, best[None, :, :, None], axis=0)[0])


def _damped(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a Gram matrix that has an inverse: inputs that are always zero get a one."""
    width = gram.shape[1]
    mean = np.trace(gram, axis1=1, axis2=2) / width
    return gram + np.where(mean > 0, DAMPING * mean, 1.0)[:, None, None] * np.eye(width)
