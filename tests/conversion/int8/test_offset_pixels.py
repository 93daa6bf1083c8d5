"""Pixels that are scaled and moved enter a convolution with a border as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.int8.ranges import TRAINED
from tests.conversion.graph.graphs import node
from tests.conversion.int8.networks import answer, convnet, quantized

IMAGES = np.random.default_rng(4).integers(0, 256, (32, 40, 40, 3), dtype=np.uint8)


def scaled(factor: Any = 1 / 127.5, offset: Any = -1.0) -> Any:
    model = convnet(scaled=True, side=40)
    for tensor in model.graph.initializer:
        if tensor.name in {"scale", "offset"}:
            array = np.array(factor if tensor.name == "scale" else offset, np.float32)
            tensor.CopyFrom(type(tensor)(name=tensor.name, data_type=1, dims=array.shape, raw_data=array.tobytes()))
    return model


def way_in(model: Any) -> list[str]:
    """Return the operators from the input to the first convolution."""
    found, name = [], "image"
    while not found or found[-1] != "Conv":
        reader = next(node for node in model.graph.node if name in node.input)
        found.append(reader.op_type)
        name = reader.output[0]
    return found


def error(model: Any, fp32: Any) -> float:
    difference = answer(model, IMAGES).astype(np.float64) - answer(fp32, IMAGES)
    return float(np.sqrt(np.square(difference).mean()))


@pytest.mark.parametrize("target", ["x86", "arm64", "web"])
@pytest.mark.parametrize(("factor", "offset"), [(1 / 127.5, -1.0), (1 / 255, -0.5), (0.02, -0.003), (0.01, -2.55)])
def test_pixels_go_in_as_they_are_and_answers_stay_as_near(target: str, factor: float, offset: float) -> None:
    fp32 = scaled(factor, offset)
    made, before = quantized(fp32, IMAGES, target), quantized(fp32, IMAGES, target, method=TRAINED)
    signed = target == "arm64"
    moved = ["Cast", "Transpose", "QuantizeLinear"] if signed else ["Transpose"]
    assert way_in(made.model) == [*moved, "DequantizeLinear", "Conv"]
    assert way_in(before.model)[:3] == ["Cast", "Mul", "Add"]
    assert [told.node for told in made.float_nodes] == ["dense/Softmax"]
    # The border is off by the same half step everywhere, what was rounded at each pixel by a random one.
    assert error(made.model, fp32) < 1.25 * error(before.model, fp32)


@pytest.mark.parametrize("target", ["tensorrt", "qnn"])
def test_other_kernels_get_what_is_scaled(target: str) -> None:
    made = quantized(scaled(), IMAGES, target)
    assert way_in(made.model)[:3] == ["Cast", "Mul", "Add"]
    assert {"in/Mul", "in/Add"} <= {told.node for told in made.float_nodes}


@pytest.mark.parametrize(
    ("factor", "offset"),
    [(1 / 255, 0.1), (1 / 255, -1.1), ([0.01, 0.02, 0.03], -1.0), (1 / 127.5, [-1.0, -0.9, -0.8])],
)
def test_where_no_pixel_becomes_0_they_are_scaled_in_float(factor: Any, offset: Any) -> None:
    assert way_in(quantized(scaled(factor, offset), IMAGES).model)[:3] == ["Cast", "Mul", "Add"]


def test_a_convolution_without_a_bias_gets_one() -> None:
    fp32 = scaled()
    convolution = next(node for node in fp32.graph.node if node.op_type == "Conv")
    del convolution.input[2]
    made = quantized(fp32, IMAGES).model
    assert way_in(made) == ["Transpose", "DequantizeLinear", "Conv"]
    assert len(next(node for node in made.graph.node if node.op_type == "Conv").input) == 3
    assert error(made, fp32) < 0.02


def test_what_others_read_too_is_scaled_in_float() -> None:
    fp32 = scaled()
    fp32.graph.node.insert(3, node("GlobalAveragePool", ["x"], ["mean"], "also/GlobalAveragePool"))
    fp32.graph.output.add(name="mean").type.tensor_type.elem_type = 1
    assert way_in(quantized(fp32, IMAGES).model)[:3] == ["Cast", "Mul", "Add"]
