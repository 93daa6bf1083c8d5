"""GRU layers are one operator, and answer as Keras does."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion.graph.simplify import simplify  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402
from tests.conversion.tracing.tracing import traced  # noqa: E402

layers = keras.layers
TOLERANCE = 2e-5


def _exported(layer: Any, steps: int | None = 6) -> tuple[Counter[str], float]:
    """Return the operators of a layer on sequences, and the largest difference from Keras over the spread."""
    entry = keras.Input((steps, 3))
    model = alive(keras.Model(entry, layer(entry)))
    proto = simplify(traced(model))
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    worst = 0.0
    for batch, length in ((1, 6), (3, steps or 9)):
        x = np.random.default_rng(batch).normal(size=(batch, length, 3)).astype(np.float32)
        expected = keras.tree.flatten(model(x))
        for wanted, got in zip(expected, session.run(None, {"in0": x}), strict=True):
            assert got.shape == wanted.shape
            worst = max(worst, float(np.abs(got - wanted).max() / np.ptp(wanted)))
    return Counter(node.op_type for node in proto.graph.node), worst


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, 6),
        ({}, None),
        ({"return_sequences": True}, None),
        ({"return_sequences": True, "return_state": True}, 6),
        ({"return_state": True}, 6),
        ({"go_backwards": True}, 6),
        ({"go_backwards": True, "return_sequences": True}, 6),
        ({"activation": "relu", "use_bias": False}, 6),
        ({"dropout": 0.3, "recurrent_dropout": 0.3}, 6),
    ],
    ids=str,
)
def test_a_gru_is_one_operator(options: dict[str, Any], steps: int | None) -> None:
    found, error = _exported(layers.GRU(4, **options), steps)
    assert (found["GRU"], found["Loop"]) == (1, 0)
    assert error < TOLERANCE


def test_the_last_state_takes_no_more_than_the_operator_needs() -> None:
    found, _ = _exported(layers.GRU(4))
    assert found == {"Transpose": 1, "GRU": 1, "Squeeze": 1}


def test_both_directions_are_one_operator() -> None:
    found, error = _exported(layers.Bidirectional(layers.GRU(4, return_sequences=True)))
    assert (found["GRU"], found["Loop"]) == (1, 0)
    assert error < TOLERANCE


@pytest.mark.parametrize("options", [{"reset_after": False}, {"recurrent_activation": "hard_sigmoid"}], ids=str)
def test_what_the_operator_cannot_do_stays_a_loop(options: dict[str, Any]) -> None:
    found, error = _exported(layers.GRU(4, **options))
    assert (found["GRU"], found["Loop"]) == (0, 1)
    assert error < TOLERANCE


def test_a_masked_gru_stays_a_loop() -> None:
    found, error = _exported(lambda x: layers.GRU(4)(layers.Masking(mask_value=9.0)(x)))
    assert (found["GRU"], found["Loop"]) == (0, 1)
    assert error < TOLERANCE
