"""What decodes the answers stays in float, and nothing before the last layers with weights does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.int8.quantizing import prepare, quantize
from edgeconv.conversion.int8.tail import REASON, tail_of
from edgeconv.conversion.int8.targets import scheme_of
from tests.conversion.graph.rewriting import graph_of, node, random

CONV = node("Conv", ["image", "k"], ["c"], "one/Conv")


def _model(*nodes: Any) -> Any:
    constants = {"k": random(4, 3, 1, 1), "s": np.array(0.1, np.float32), "m": random(4, 4, 1, 1)}
    return graph_of([CONV, *nodes], constants, {"image": ["batch", 3, 4, 4]})


def _tail(*nodes: Any) -> set[str]:
    return tail_of(_model(*nodes).graph)


def test_boxes_are_decoded_in_float_and_what_moves_them_before_is_not() -> None:
    nodes = [
        node("Transpose", ["c"], ["t"], "one/Transpose", perm=[0, 2, 3, 1]),
        node("Mul", ["t", "s"], ["scaled"], "box/Mul"),
        node("Add", ["scaled", "s"], ["moved"], "box/Add"),
        node("Flatten", ["moved"], ["y"], "box/Flatten"),
    ]
    assert _tail(*nodes) == {"box/Mul", "box/Add", "box/Flatten"}


def test_a_sigmoid_that_is_moved_is_at_the_end_all_the_same() -> None:
    nodes = [node("Sigmoid", ["c"], ["p"], "one/Sigmoid"), node("Flatten", ["p"], ["y"], "one/Flatten")]
    assert _tail(*nodes) == {"one/Sigmoid", "one/Flatten"}


@pytest.mark.parametrize("operator", ["Conv", "Softmax"])
def test_what_leads_to_a_layer_or_to_a_softmax_is_no_tail(operator: str) -> None:
    last = node("Conv", ["a", "m"], ["y"], "two/Conv") if operator == "Conv" else node("Softmax", ["a"], ["y"], "two/S")
    assert _tail(node("Add", ["c", "s"], ["a"], "one/Add"), last) == set()


def test_a_sum_that_a_layer_reads_too_is_no_tail() -> None:
    nodes = [node("Add", ["c", "s"], ["y"], "one/Add"), node("Conv", ["y", "m"], ["z"], "two/Conv")]
    assert _tail(*nodes) == set()


def test_moves_alone_stay_in_int8() -> None:
    assert _tail(node("Flatten", ["c"], ["y"], "one/Flatten")) == set()


def test_a_quantized_model_has_its_tail_in_float_and_says_so() -> None:
    model = _model(node("Flatten", ["c"], ["f"], "one/Flatten"), node("Mul", ["f", "s"], ["y"], "box/Mul"))
    ranges = dict.fromkeys(("image", "c", "f", "y", "s"), (-9.0, 9.0))
    made = quantize(prepare(model), ranges, scheme_of("x86"))
    assert [(told.node, told.reason) for told in made.float_nodes] == [("box/Mul", REASON)]
    assert made.model.graph.node[-1].op_type == "Mul"
