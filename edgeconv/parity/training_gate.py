"""What quantization-aware training may cost: beside the float model that it began with, where that is known."""

from __future__ import annotations

from edgeconv.parity.intervals import unpaired_accuracy_lost
from edgeconv.parity.ledger import Gate, Ledger
from edgeconv.parity.stage import FAKE_QUANTIZED

REASON = "what --max-drop allows, beside the float model that the training began with"


def training_gate(ledger: Ledger, float_accuracy: float, max_drop: float) -> Gate | None:
    """Return the gate of Keras as trained to be int8; int8 itself is held against that stage.

    Args:
        ledger: with labels; None is returned of one without, or without that stage.
        float_accuracy: of the float model on the same images, share of right answers, 0 to 1.
        max_drop: percentage points that may be lost.
    """
    row = ledger.row(FAKE_QUANTIZED)
    if row is None or row.accuracy is None:
        return None
    lost = unpaired_accuracy_lost(row.accuracy, float_accuracy, row.count)
    return Gate.of_loss(FAKE_QUANTIZED, "accuracy drop in percentage points", max_drop, lost, REASON)
