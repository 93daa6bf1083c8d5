from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")

from edgeconv.inspection.layer_table import tabulate_layers  # noqa: E402
from tests.conversion.graph.graphs import FLOAT, UINT8, model_of, node, zeros  # noqa: E402


def test_a_layer_that_dequantizes_only_is_float():
    model = model_of(
        [
            node("DequantizeLinear", ["image", "scale"], ["x"], "a/DequantizeLinear"),
            node("Softmax", ["x"], ["probabilities"], "a/Softmax"),
        ],
        {"scale": np.array(np.float32(1))},
        ("batch", 4),
        ("batch", 4),
        UINT8,
    )
    assert [layer.precision for layer in tabulate_layers(model).layers] == ["float32"]


@pytest.mark.parametrize(
    ("nodes", "constants", "input_shape", "expected"),
    [
        # Depthwise: each of 6 channels sums 3 x 3 pixels of its own.
        (
            [node("Conv", ["image", "k"], ["probabilities"], group=6)],
            {"k": zeros(6, 1, 3, 3)},
            (6, 8, 8),
            6 * 6 * 6 * 9,
        ),
        # Two groups: each output channel sums 3 of the 6 input channels.
        (
            [node("Conv", ["image", "k"], ["probabilities"], group=2)],
            {"k": zeros(4, 3, 3, 3)},
            (6, 8, 8),
            6 * 6 * 4 * 9 * 3,
        ),
        # Stride and padding decide the number of output pixels.
        (
            [node("Conv", ["image", "k"], ["probabilities"], strides=[2, 2], pads=[1, 1, 1, 1])],
            {"k": zeros(5, 6, 3, 3)},
            (6, 8, 8),
            4 * 4 * 5 * 9 * 6,
        ),
        # Transposed: each input pixel is spread over the kernel.
        (
            [node("ConvTranspose", ["image", "k"], ["probabilities"], strides=[2, 2])],
            {"k": zeros(6, 5, 2, 2)},
            (6, 8, 8),
            6 * 8 * 8 * 5 * 4,
        ),
        ([node("MatMul", ["image", "k"], ["probabilities"])], {"k": zeros(7, 3)}, (5, 7), 5 * 7 * 3),
        ([node("Gemm", ["image", "k"], ["probabilities"], transB=1)], {"k": zeros(3, 7)}, (7,), 7 * 3),
        (
            [node("MatMulInteger", ["image", "k"], ["p"]), node("Cast", ["p"], ["probabilities"], to=FLOAT)],
            {"k": zeros(7, 3, dtype=np.int8)},
            (7,),
            7 * 3,
        ),
    ],
    ids=["depthwise", "grouped", "strided", "transposed", "matmul", "gemm", "integer"],
)
def test_multiply_adds_are_those_of_one_image(nodes, constants, input_shape, expected):
    input_type = UINT8 if nodes[0].op_type == "MatMulInteger" else FLOAT
    model = model_of(nodes, constants, ("batch", *input_shape), ("batch", *"abc"[: len(input_shape)]), input_type)
    assert sum(layer.multiply_adds for layer in tabulate_layers(model).layers) == expected


def test_a_product_of_two_activations_has_no_parameters():
    model = model_of([node("MatMul", ["image", "image"], ["probabilities"])], {}, ("batch", 4, 4), ("batch", 4, 4))
    (layer,) = tabulate_layers(model).layers
    assert (layer.parameters, layer.multiply_adds) == (0, 4 * 4 * 4)


def test_settings_are_no_parameters():
    model = model_of(
        [
            node("Constant", [], ["low"], value=onnx.numpy_helper.from_array(np.array(np.float32(0)))),
            node("Clip", ["image", "low"], ["x"]),
            node("Resize", ["x", "", "scales"], ["y"]),
            node("Mul", ["y", "half"], ["probabilities"]),
        ],
        {"scales": np.ones(4, np.float32), "half": np.array(np.float32(0.5))},
        ("batch", 1, 4, 4),
        ("batch", 1, 4, 4),
    )
    table = tabulate_layers(model)
    assert [layer.operator for layer in table.layers] == ["Clip", "Resize", "Mul"]
    assert table.weights == {}


def test_constants_in_nodes_are_parameters():
    kernel = onnx.numpy_helper.from_array(zeros(4, 3))
    nodes = [node("Constant", [], ["k"], value=kernel), node("MatMul", ["image", "k"], ["probabilities"], "d/MatMul")]
    assert tabulate_layers(model_of(nodes, {}, ("batch", 4), ("batch", 3))).weights == {"float32": 12}


def test_a_layer_used_twice_counts_once_and_equal_biases_count_twice():
    shared = [
        node("MatMul", ["image", "k"], ["x"], "d/MatMul"),
        node("MatMul", ["x", "k"], ["probabilities"], "d/MatMul_2"),
    ]
    assert tabulate_layers(model_of(shared, {"k": zeros(4, 4)}, ("batch", 4), ("batch", 4))).weights == {"float32": 16}
    equal = [node("Add", ["image", "b"], ["x"], "c/Add"), node("Add", ["x", "b"], ["probabilities"], "d/Add")]
    assert tabulate_layers(model_of(equal, {"b": zeros(4)}, ("batch", 4), ("batch", 4))).weights == {"float32": 8}


def test_axes_that_are_not_the_batch_keep_their_names():
    model = model_of(
        [node("Conv", ["image", "k"], ["probabilities"], "c/Conv", pads=[1, 1, 1, 1])],
        {"k": zeros(2, 3, 3, 3)},
        ("n", 3, "height", "width"),
        ("n", 2, "h", "w"),
    )
    (layer,) = tabulate_layers(model).layers
    assert layer.output_shape is not None
    assert layer.output_shape[:2] == ("batch", 2)
    assert layer.multiply_adds is None


def test_a_fixed_batch_stays_a_number():
    model = model_of([node("Relu", ["image"], ["probabilities"], "r/Relu")], {}, (1, 4), (1, 4))
    assert tabulate_layers(model).layers[0].output_shape == (1, 4)


def test_a_graph_that_onnx_cannot_follow_is_listed():
    model = model_of([node("Conv", ["image", "absent"], ["probabilities"], "c/Conv")], {}, ("batch", 4), ("batch", "q"))
    (layer,) = tabulate_layers(model).layers
    assert (layer.operator, layer.multiply_adds) == ("Conv", None)
