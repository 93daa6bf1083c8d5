"""Recurrent operators start from zeros by themselves, and tell their last state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.graph.passes.recurrence import start_from_zeros, take_last_state
from tests.conversion.graph.rewriting import assert_same, changed, graph_of, node, operators, random

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
STEPS, UNITS, FEATURES = 5, 4, 3


def _net(kind: str, zero: float = 0.0, start: int = -1, lengths: bool = False, **options: Any) -> Any:
    """A recurrent operator as tf2onnx writes it: states expanded from one number, the last output cut out of all."""
    states = ["h", "h"] if kind == "LSTM" else ["h"]
    nodes = [
        node("Expand", ["zero", "sizes"], ["h0"]),
        node("Unsqueeze", ["h0", "first"], ["h"]),
        node(kind, ["x", "w", "r", "", "lengths" if lengths else "", *states], ["all"], hidden_size=UNITS, **options),
        node("Squeeze", ["all", "second"], ["steps"]),
        node("Slice", ["steps", "start", "end", "first"], ["cut"]),
        node("Squeeze", ["cut", "first"], ["y"]),
    ]
    constants = {
        "zero": np.float32(zero),
        "sizes": np.array([2, UNITS]),
        "first": np.array([0]),
        "second": np.array([1]),
        "start": np.array([start]),
        "end": np.array([2**31 - 1 if start == -1 else start + 1]),
        "w": random(1, GATES[kind] * UNITS, FEATURES),
        "r": random(1, GATES[kind] * UNITS, UNITS),
        **({"lengths": np.array([2, 5], np.int32)} if lengths else {}),
    }
    return graph_of(nodes, constants, {"x": [STEPS, 2, FEATURES]})


@pytest.mark.parametrize("kind", GATES)
def test_states_of_zeros_are_the_default_and_the_last_state_is_an_output(kind: str) -> None:
    before = _net(kind)
    count, after = changed(start_from_zeros, before)
    assert (count, operators(after)) == (2 if kind == "LSTM" else 1, [kind, "Squeeze", "Slice", "Squeeze"])
    count, last = changed(take_last_state, after)
    assert (count, operators(last)) == (1, [kind, "Squeeze"])
    assert len(last.graph.node[0].input) == 3
    assert_same(before, last, x=random(STEPS, 2, FEATURES))


def test_a_state_that_is_not_zero_stays() -> None:
    assert changed(start_from_zeros, _net("GRU", zero=0.5))[0] == 0


@pytest.mark.parametrize("options", [{"direction": "reverse"}, {"lengths": True}, {"start": -2}])
def test_what_is_not_the_last_state_is_cut_out_as_before(options: dict[str, Any]) -> None:
    assert changed(take_last_state, _net("GRU", **options))[0] == 0
