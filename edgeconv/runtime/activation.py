"""What a contract says is still to be done to the outputs of a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.manifest import Manifest

Row = NDArray[np.float32]


def activated(manifest: Manifest, outputs: Row) -> Row:
    """Do what the contract says is still to be done to the outputs: a softmax, a sigmoid, or nothing."""
    pending = pending_of(manifest)
    return {"softmax": softmax, "sigmoid": sigmoid}[pending](outputs) if pending else outputs


def pending_of(manifest: Manifest) -> str | None:
    """Return what is still to be done to the first output: ``"softmax"``, ``"sigmoid"``, or None."""
    return "softmax" if manifest.output.kind == "logits" else manifest.output.pending


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities, float32, of logits, float32, both (..., classes); shifted so that nothing overflows."""
    with np.errstate(invalid="ignore"):  # Infinity less infinity is NaN, which whoever answers refuses.
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities, float32, of logits of the same shape; by the hyperbolic tangent, which cannot overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64))), dtype=np.float32)
