"""As few layers in 8 bits as it takes, the most sensitive first."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import onnx
import pytest

from edgeconv.conversion.int8.search.settings import LayerSensitivity
from edgeconv.conversion.weights_only import choosing
from edgeconv.conversion.weights_only.choosing import fewest_in_8_bits
from edgeconv.conversion.weights_only.constants import weights_in
from edgeconv.conversion.weights_only.storing import Steps, nearest
from tests.conversion.graph.rewriting import graph_of, node, random

LAYERS = "abcde"


def _net() -> Any:
    """Return five products in a row; where the weights are alike, the first matters most to the answer."""
    ends = ["x", *(f"after_{name}" for name in LAYERS[:-1]), "y"]
    nodes = [node("MatMul", [ends[at], name], [ends[at + 1]], f"{name}/MatMul") for at, name in enumerate(LAYERS)]
    fp32 = graph_of(nodes, {name: random(32, 32) for name in LAYERS}, {"x": ["batch", 32]}, opset=21)
    fp32.ir_version = 10
    return fp32


def _bits(model: onnx.ModelProto) -> dict[str, int]:
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    return {name: 4 if kinds[f"{name}/steps"] == onnx.TensorProto.INT4 else 8 for name in LAYERS}


@pytest.mark.parametrize("wanted", range(6))
def test_the_first_of_the_ranking_have_8_bits(monkeypatch: pytest.MonkeyPatch, wanted: int) -> None:
    fp32, judged, ranked = _net(), list[dict[str, int]](), "dbeca"
    monkeypatch.setattr(choosing, "rank", lambda *_, **__: [LayerSensitivity(name, 1.0) for name in ranked])
    weights = weights_in(fp32)

    def holds(model: onnx.ModelProto) -> bool:
        judged.append(_bits(model))
        return all(judged[-1][name] == 8 for name in ranked[:wanted])

    def round_to(in_8_bits: Collection[str]) -> list[Steps]:
        return [nearest(each, 8 if each.name in in_8_bits else 4) for each in weights]

    found = fewest_in_8_bits(fp32, weights, round_to, holds, list)
    assert {each.weights.name for each in found if each.bits == 8} == set(ranked[:wanted])
    assert len({tuple(bits.values()) for bits in judged}) == len(judged), "no model is judged twice"


def test_the_layer_that_4_bits_spoil_is_ranked_first() -> None:
    fp32 = _net()
    spoilt = next(tensor for tensor in fp32.graph.initializer if tensor.name == "c")
    # The same product, of whose inputs the first is as good as nothing, and takes the steps of the others.
    array = onnx.numpy_helper.to_array(spoilt).copy()
    array[0] *= 20
    spoilt.CopyFrom(onnx.numpy_helper.from_array(array, "c"))
    before = next(tensor for tensor in fp32.graph.initializer if tensor.name == "b")
    array = onnx.numpy_helper.to_array(before).copy()
    array[:, 0] /= 1000
    before.CopyFrom(onnx.numpy_helper.from_array(array, "b"))
    weights, rows = weights_in(fp32), {"x": random(20, 32)}

    def holds(model: onnx.ModelProto) -> bool:
        return _bits(model)["c"] == 8

    def round_to(in_8_bits: Collection[str]) -> list[Steps]:
        return [nearest(each, 8 if each.name in in_8_bits else 4) for each in weights]

    found = fewest_in_8_bits(fp32, weights, round_to, holds, lambda: [rows])
    assert [each.weights.name for each in found if each.bits == 8] == ["c"]
