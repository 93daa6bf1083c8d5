from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from edgeconv.conversion.graph.layer_names import layer_of_named, layer_of_traced, name_after_layers
from tests.conversion.graph.graphs import int8_model

node = onnx.helper.make_node


@pytest.mark.parametrize(
    ("scope", "layer"),
    [
        ("functional_1._1/conv1._1/convolution", "conv1"),
        ("functional_1._1/conv_1._1/BiasAdd", "conv_1"),
        ("functional_1._1/conv._1/BiasAdd", "conv"),
        ("outer._1/inner./conv1._2/Relu", "inner/conv1"),
        ("functional_1._1/Cast", None),
        ("Transpose__38", None),
    ],
)
def test_the_layer_of_a_traced_node(scope: str, layer: str | None) -> None:
    assert layer_of_traced(scope) == layer


@pytest.mark.parametrize(
    ("name", "layer"),
    [("conv1/Conv", "conv1"), ("inner/conv1/Conv:kernel_DequantizeLinear", "inner/conv1"), ("Cast", None)],
)
def test_the_layer_of_a_named_node(name: str, layer: str | None) -> None:
    assert layer_of_named(name) == layer


def test_names_do_not_depend_on_the_names_before(build: Any) -> None:
    def named(prefix: str) -> onnx.ModelProto:
        nodes = [
            node("Add", ["image", f"{prefix}bias"], [f"{prefix}a"], name="m._1/shift._1/add"),
            node("Transpose", [f"{prefix}a"], [f"{prefix}b"], name=f"Transpose__{prefix}"),
            node("MatMul", [f"{prefix}b", f"{prefix}k"], [f"{prefix}c"], name="m._1/dense._1/MatMul"),
            node("MatMul", [f"{prefix}c", f"{prefix}k"], ["probabilities"], name="m._1/dense._2/MatMul"),
        ]
        constants = {f"{prefix}bias": np.ones(2, np.float32), f"{prefix}k": np.eye(2, dtype=np.float32)}
        model = ir.from_proto(build(nodes, constants, [2, 2], [2, 2]))
        name_after_layers(model, layer_of_traced)
        return ir.to_proto(model)

    first = named("x")
    assert [item.name for item in first.graph.node] == [
        "shift/Add",
        "shift/Transpose",
        "dense/MatMul",
        "dense/MatMul_2",
    ]
    assert [item.name for item in first.graph.input] == ["image"]
    assert [item.name for item in first.graph.output] == ["probabilities"]
    assert {item.name for item in first.graph.initializer} == {"shift/Add:input1", "dense/MatMul:kernel"}
    # The second model's own names collide with those that are given.
    assert named("dense/MatMul:").SerializeToString() == first.SerializeToString()


def test_a_quantized_graph_numbers_its_scales_and_names_weights_as_the_float_graph_does() -> None:
    model = ir.from_proto(int8_model())
    name_after_layers(model, layer_of_named)
    graph = ir.to_proto(model).graph
    named = {item.name: (list(item.input), list(item.output)) for item in graph.node}
    assert named["conv/DQ"] == (["conv/Conv:kernel", "s1", "z1"], ["dq1"])
    assert named["conv/DQ_2"] == (["conv/Conv:bias", "s1"], ["dq1_2"])
    assert named["dense/DQ"][0] == ["dense/Gemm:kernel", "s1", "z1"]
    assert named["conv/Q"] == (["conv/Relu:0", "s1", "z1_2"], ["q1"])
    assert len({name for item in graph.node for name in item.output}) == len(graph.node)
    assert named["dense/Gemm"][1] == ["dense/Gemm:0"]


def test_numbers_make_room_for_an_input_of_their_name(build: Any) -> None:
    nodes = [
        node("QuantizeLinear", ["s1", "scale", "zero"], ["a"], name="x/QuantizeLinear"),
        node("DequantizeLinear", ["a", "scale", "zero"], ["probabilities"], name="x/DequantizeLinear"),
    ]
    proto = build(nodes, {"scale": np.float32(0.5), "zero": np.uint8(0)}, [2, 2], [2, 2])
    proto.graph.input[0].name = "s1"
    model = ir.from_proto(proto)
    name_after_layers(model, layer_of_named)
    named = [list(item.input) for item in ir.to_proto(model).graph.node]
    assert named == [["s1", "s1_2", "z1"], ["q1", "s1_2", "z1"]]
