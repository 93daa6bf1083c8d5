"""What a quantized graph need not state."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort

from edgeconv.conversion.graph.defaults import leave_out_defaults, share_zero_points
from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.conversion.graph.simplify import finish
from tests.conversion.graph.graphs import int8_model

IMAGE = (4, 4, 1)


def _spelled_out(bias_point: int = 0) -> onnx.ModelProto:
    """The QDQ graph of the tests, with all that a quantizer writes, and weights that are not zero."""
    model = int8_model()
    graph, draw = model.graph, np.random.default_rng(0)
    arrays = {
        "k1": draw.integers(-99, 99, (2, 1, 3, 3)).astype(np.int8),
        "b1": draw.integers(-99, 99, 2).astype(np.int32),
        "k2": draw.integers(-99, 99, (2, 3)).astype(np.int8),
    }
    for tensor in graph.initializer:
        if tensor.name in arrays:
            tensor.CopyFrom(onnx.numpy_helper.from_array(arrays[tensor.name], tensor.name))
    graph.initializer.append(onnx.numpy_helper.from_array(np.array(bias_point, np.int32), "zero32"))
    nodes = {item.name: item for item in graph.node}
    nodes["conv/DequantizeLinear_2"].input.append("zero32")
    for name, value in {"dilations": [1, 1], "strides": [2, 2], "pads": [0] * 4, "group": 1}.items():
        nodes["conv/Conv"].attribute.append(onnx.helper.make_attribute(name, value))
    nodes["conv/Conv"].attribute.append(onnx.helper.make_attribute("auto_pad", "NOTSET"))
    nodes["dense/Softmax"].attribute.append(onnx.helper.make_attribute("axis", 1))
    return model


def _finished(model: onnx.ModelProto) -> onnx.ModelProto:
    return finish(ir.from_proto(model), layer_of_named)


def _answers(model: onnx.ModelProto, images: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": images})[0]


def test_attributes_of_a_default_value_go_and_others_stay() -> None:
    made = {item.name: item for item in _finished(_spelled_out()).graph.node}
    assert [item.name for item in made["conv/Conv"].attribute] == ["strides"]
    assert [item.name for item in made["dense/Softmax"].attribute] == ["axis"]  # The default is -1.


def test_biases_have_no_zero_points_and_all_else_has() -> None:
    graph = _finished(_spelled_out()).graph
    without = [item.name for item in graph.node if item.op_type == "DequantizeLinear" and len(item.input) < 3]
    assert without == ["conv/DQ_3"]
    assert [item.name for item in graph.node if item.op_type == "QuantizeLinear" and len(item.input) < 3] == []
    biases = [tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.INT32]
    assert biases == ["conv/Conv:bias"]


def test_a_zero_point_that_is_not_zero_stays() -> None:
    model = ir.from_proto(_spelled_out(bias_point=3))
    assert leave_out_defaults(model)
    assert [len(item.inputs) for item in model.graph if item.name == "conv/DequantizeLinear_2"] == [3]


def test_activations_share_a_zero_point_and_weights_do_not() -> None:
    model = _spelled_out()
    own = {
        "flatten/QuantizeLinear": np.uint8(0),
        "flatten/DequantizeLinear": np.uint8(0),
        "dense/DequantizeLinear": np.int8(0),
    }
    for item in model.graph.node:
        if item.name in own:
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(own[item.name]), item.name))
            item.input[2] = item.name
    graph = ir.from_proto(model)
    share_zero_points(graph)
    points = {item.name: item.inputs[2].name for item in graph.graph if item.name in {*own, "conv/QuantizeLinear"}}
    assert points == {
        "conv/QuantizeLinear": "zero",
        "flatten/QuantizeLinear": "zero",
        "flatten/DequantizeLinear": "zero",
        "dense/DequantizeLinear": "dense/DequantizeLinear",
    }
    images = np.random.default_rng(1).integers(0, 256, (5, *IMAGE), dtype=np.uint8)
    assert np.array_equal(_answers(ir.to_proto(graph), images), _answers(model, images))


def test_constants_are_not_described_twice_and_answers_are_the_same() -> None:
    made = _finished(_spelled_out())
    assert not made.graph.value_info
    onnx.checker.check_model(made, full_check=True)
    images = np.random.default_rng(1).integers(0, 256, (5, *IMAGE), dtype=np.uint8)
    assert np.array_equal(_answers(made, images), _answers(_spelled_out(), images))


def test_a_float_graph_stays_as_it_is() -> None:
    convolution = onnx.helper.make_node("Conv", ["x", "k"], ["y"], "conv/Conv", dilations=[1, 1], group=1)
    kernel = onnx.numpy_helper.from_array(np.ones((2, 1, 3, 3), np.float32), "k")
    kind = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [convolution],
        "g",
        [kind("x", 1, [1, 1, 8, 8])],
        [kind("y", 1, [1, 2, 6, 6])],
        [kernel],
    )
    model = ir.from_proto(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)]))
    assert not leave_out_defaults(model)
    assert set(model.graph[0].attributes) == {"dilations", "group"}


def test_unknown_operators_are_left_alone() -> None:
    model = ir.from_proto(_spelled_out())
    model.graph.append(ir.node("Own", [model.graph[0].outputs[0]], {"axis": -1}, domain="com.example"))
    assert leave_out_defaults(model)
    assert set(model.graph[-1].attributes) == {"axis"}
