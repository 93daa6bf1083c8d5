from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

import edgeconv
from edgeconv.conversion.graph import qdq
from edgeconv.conversion.graph.editing import add_constant
from tests.conversion.int8.forms.networks import Network

ROOT = Path(edgeconv.__file__).parent


@pytest.fixture
def model() -> ir.Model:
    """Return pixels, read by a Conv with a Relu behind it, quantized, and read by a Softmax."""
    network = Network(1, ("batch", 6, 6, 3))
    maps = network.convolution(network.pixels, 4, activation="Relu")
    return ir.from_proto(network.model(network.node("Softmax", [network.read(maps)]), read=False))


def only(model: ir.Model, operator: str) -> ir.Node:
    (node,) = [node for node in model.graph if node.op_type == operator]
    return node


def test_each_side_of_a_pair_is_found_from_the_other(model: ir.Model) -> None:
    quantizer, softmax, relu = (only(model, name) for name in ("QuantizeLinear", "Softmax", "Relu"))
    dequantizer = qdq.dequantizer_before(softmax.inputs[0])
    assert dequantizer is not None
    assert qdq.dequantizer_behind(quantizer.outputs[0]) is dequantizer
    assert qdq.quantizer_before(dequantizer.inputs[0]) is quantizer
    assert qdq.quantizer_behind(relu.outputs[0]) is quantizer
    assert qdq.before_pair(softmax.inputs[0]) is relu.outputs[0]
    assert qdq.before_pair(relu.outputs[0]) is None
    assert qdq.dequantizer_before(relu.outputs[0]) is None
    assert qdq.dequantizer_behind(only(model, "Conv").outputs[0]) is None
    assert qdq.quantizer_before(relu.outputs[0]) is None
    assert qdq.quantizer_behind(softmax.outputs[0]) is None


def test_an_activation_that_the_limits_hold_is_looked_through(model: ir.Model) -> None:
    conv, quantizer = only(model, "Conv"), only(model, "QuantizeLinear")
    assert qdq.quantizer_behind(conv.outputs[0]) is None
    assert qdq.quantizer_behind_activation(conv.outputs[0]) is quantizer
    assert qdq.before_activation(quantizer) is conv.outputs[0]
    quantizer.replace_input_with(2, add_constant(model, np.array(3, np.uint8)))
    assert qdq.before_activation(quantizer) is quantizer.inputs[0], "zero is no longer the lowest integer"


def test_a_value_that_others_read_as_well_has_no_quantizer_of_its_own(model: ir.Model) -> None:
    relu = only(model, "Relu")
    model.graph.append(ir.node("Neg", [relu.outputs[0]]))
    assert qdq.quantizer_behind(relu.outputs[0]) is None


def test_weights_are_no_activation(model: ir.Model) -> None:
    conv = only(model, "Conv")
    weights, maps = qdq.dequantized(conv.inputs[1]), qdq.dequantized(conv.inputs[0])
    assert weights is not None
    assert weights.array is not None
    assert (weights.array.dtype, weights.axis, weights.scale.is_of_tensor) == (np.int8, 0, False)
    assert maps is not None
    assert maps.array is None
    assert qdq.activation(conv.inputs[0]) == maps
    assert qdq.activation(conv.inputs[1]) is None


def test_names_in_a_protobuf_are_paired() -> None:
    network = Network(1, ("batch", 6, 6, 3))
    maps = network.convolution(network.pixels, 4, activation="Relu")
    read = network.read(maps)
    nodes = network.nodes
    relu = next(node.output[0] for node in nodes if node.op_type == "Relu")
    assert qdq.dequantized_names(nodes) == {relu: read}
    assert qdq.dequantizers(nodes)[read].input[0] == maps
    assert len(qdq.dequantizers(nodes)) == 4


def test_no_other_module_looks_for_the_operators_by_name() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in (qdq.QUANTIZE, qdq.DEQUANTIZE)
    }
    assert found == {"conversion/graph/qdq.py"}
