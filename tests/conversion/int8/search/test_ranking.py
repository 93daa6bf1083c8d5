"""Layers are ranked by the noise that each alone makes in the answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.int8.search.ranking import rank
from tests.conversion.graph.rewriting import graph_of, node
from tests.conversion.randomness import RNG

ERRORS = {"a": 0.01, "b": 0.1, "c": 0.0, "d": 0.001}
IMAGES = RNG.normal(size=(40, 6)).astype(np.float32)


def _model(spoilt: str | None, *, end: str = "Softmax") -> Any:
    """Return four layers that each pass on what they get, one of them with an error of one sign in every value."""
    nodes, constants, value = [], {}, "x"
    for name, error in ERRORS.items():
        constants[f"{name}error"] = np.float32(error if name == spoilt else 0)
        nodes.append(node("Add", [value, f"{name}error"], [name], f"{name}/Add"))
        value = name
    return graph_of([*nodes, node(end, [value], ["y"], "d/End")], constants, {"x": ["batch", 6]})


def test_the_worst_comes_first_and_the_harmless_last() -> None:
    found = rank(
        list(ERRORS), lambda layer: _model(layer, end="Identity"), lambda: [{"x": IMAGES[:30]}, {"x": IMAGES[30:]}]
    )
    assert [entry.layer for entry in found] == ["b", "a", "d", "c"]
    power = 10 * np.log10(np.square(IMAGES).mean())
    assert [entry.sqnr_db for entry in found] == [
        pytest.approx(power + 20, abs=0.05),
        pytest.approx(power + 40, abs=0.05),
        pytest.approx(power + 60, abs=0.05),
        None,
    ]


def test_noise_is_measured_before_the_softmax() -> None:
    # A shift of all logits together is not to be seen behind it.
    found = rank(list(ERRORS), _model, lambda: [{"x": IMAGES}])
    assert [entry.layer for entry in found] == ["b", "a", "d", "c"]


def test_layers_of_equal_sensitivity_keep_their_order() -> None:
    found = rank(["d", "a", "c"], lambda _: _model("a"), lambda: [{"x": IMAGES}])
    assert [entry.layer for entry in found] == ["d", "a", "c"]
