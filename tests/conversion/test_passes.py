"""Each pass leaves the answers alone; each case of its docstring is one test."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from edgeconv.conversion.passes.dense import absorb_transposes, fuse_dense
from edgeconv.conversion.passes.reshapes import make_reshapes_constant
from edgeconv.conversion.passes.scaling import fold_scaling

node = onnx.helper.make_node
RNG = np.random.default_rng(0)


def _random(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def _operators(model: Any) -> list[str]:
    return [item.op_type for item in model.graph.node]


def _same(run: Any, before: Any, after: Any, image: np.ndarray) -> None:
    expected = run(before, image)
    assert np.ptp(expected) > 0.1, "a constant answer proves nothing"
    # Sums in another order; against the spread of the answers.
    np.testing.assert_allclose(run(after, image), expected, atol=1e-5 * np.ptp(expected))


def test_a_flatten_that_computes_its_shape_gets_a_constant_one(build: Any, run: Any) -> None:
    """As tf2onnx writes it under some hash seeds."""
    before = build(
        [
            node("Shape", ["image"], ["shape"]),
            node("Slice", ["shape", "zero", "one", "zero"], ["batch"]),
            node("Concat", ["batch", "features"], ["target"], axis=0),
            node("Reshape", ["image", "target"], ["flat"]),
            node("MatMul", ["flat", "kernel"], ["probabilities"]),
        ],
        {
            "zero": np.array([0]),
            "one": np.array([1]),
            "features": np.array([12]),
            "kernel": _random(12, 5),
        },
        ["batch", 2, 2, 3],
        ["batch", 5],
    )
    model = ir.from_proto(before)
    assert make_reshapes_constant(model) == 1
    after = ir.to_proto(model)
    assert _operators(after) == ["Reshape", "MatMul"]
    for batch in (1, 3):
        _same(run, before, after, _random(batch, 2, 2, 3))


def test_a_reshape_with_two_dynamic_axes_stays(build: Any) -> None:
    before = build(
        [
            node("Shape", ["image"], ["shape"]),
            node("Identity", ["shape"], ["target"]),
            node("Reshape", ["image", "target"], ["probabilities"]),
        ],
        {},
        ["batch", "height", 3],
        ["batch", "height", 3],
    )
    model = ir.from_proto(before)
    assert make_reshapes_constant(model) == 0
    assert "Reshape" in _operators(ir.to_proto(model))


@pytest.mark.parametrize("swapped", [False, True])
def test_matmul_and_add_become_gemm(build: Any, run: Any, swapped: bool) -> None:
    operands = ["bias", "product"] if swapped else ["product", "bias"]
    before = build(
        [node("MatMul", ["image", "kernel"], ["product"], name="dense"), node("Add", operands, ["probabilities"])],
        {"kernel": _random(4, 3), "bias": _random(3)},
        ["batch", 4],
        ["batch", 3],
    )
    model = ir.from_proto(before)
    assert fuse_dense(model) == 1
    after = ir.to_proto(model)
    assert _operators(after) == ["Gemm"]
    _same(run, before, after, _random(3, 4))


def test_matmul_of_higher_rank_and_of_a_shared_product_stay(build: Any) -> None:
    constants = {"kernel": _random(4, 3), "bias": _random(3)}
    nodes = [node("MatMul", ["image", "kernel"], ["product"]), node("Add", ["product", "bias"], ["probabilities"])]
    assert fuse_dense(ir.from_proto(build(nodes, constants, ["batch", 7, 4], ["batch", 7, 3]))) == 0
    shared = [*nodes[:1], node("Add", ["product", "bias"], ["sum"]), node("Mul", ["sum", "product"], ["probabilities"])]
    assert fuse_dense(ir.from_proto(build(shared, constants, ["batch", 4], ["batch", 3]))) == 0


def test_a_transpose_before_a_flatten_moves_into_the_weights(build: Any, run: Any) -> None:
    before = build(
        [
            node("Transpose", ["image"], ["nhwc"], perm=[0, 2, 3, 1]),
            node("Reshape", ["nhwc", "target"], ["flat"]),
            node("Gemm", ["flat", "kernel", "bias"], ["probabilities"]),
        ],
        {"target": np.array([-1, 24]), "kernel": _random(24, 5), "bias": _random(5)},
        ["batch", 4, 2, 3],
        ["batch", 5],
    )
    model = ir.from_proto(before)
    assert absorb_transposes(model) == 1
    after = ir.to_proto(model)
    assert _operators(after) == ["Reshape", "Gemm"]
    for batch in (1, 3):
        _same(run, before, after, _random(batch, 4, 2, 3))


def test_a_transpose_that_moves_the_batch_stays(build: Any) -> None:
    before = build(
        [
            node("Transpose", ["image"], ["turned"], perm=[1, 0, 2]),
            node("Reshape", ["turned", "target"], ["flat"]),
            node("Gemm", ["flat", "kernel"], ["probabilities"]),
        ],
        {"target": np.array([-1, 6]), "kernel": _random(6, 5)},
        [2, 3, 2],
        [2, 5],
    )
    assert absorb_transposes(ir.from_proto(before)) == 0


def _scaled(build: Any, layer: list[Any], constants: dict[str, np.ndarray], offset: float, out: list[Any]) -> Any:
    return build(
        [
            node("Cast", ["image"], ["float"], to=onnx.TensorProto.FLOAT),
            node("Mul", ["float", "scale"], ["scaled"]),
            node("Add", ["scaled", "offset"], ["shifted"]),
            *layer,
        ],
        {"scale": np.array(1 / 127.5, np.float32), "offset": np.array(offset, np.float32), **constants},
        ["batch", 1, 6, 6],
        out,
        onnx.TensorProto.UINT8,
    )


@pytest.mark.parametrize("offset", [0.0, -1.0])
@pytest.mark.parametrize("bias", [True, False])
def test_scaling_folds_into_a_convolution(build: Any, run: Any, offset: float, bias: bool) -> None:
    inputs = ["shifted", "kernel", "bias"] if bias else ["shifted", "kernel"]
    constants = {"kernel": _random(3, 1, 3, 3)} | ({"bias": _random(3)} if bias else {})
    before = _scaled(build, [node("Conv", inputs, ["probabilities"])], constants, offset, ["batch", 3, 4, 4])
    model = ir.from_proto(before)
    assert fold_scaling(model) == 2
    after = ir.to_proto(model)
    assert _operators(after) == ["Cast", "Conv"]
    _same(run, before, after, RNG.integers(0, 256, (2, 1, 6, 6), dtype=np.uint8))


def test_scaling_folds_into_a_dense_layer_through_a_reshape(build: Any, run: Any) -> None:
    layer = [
        node("Reshape", ["shifted", "target"], ["flat"]),
        node("Gemm", ["flat", "kernel", "bias"], ["probabilities"]),
    ]
    constants = {"target": np.array([-1, 36]), "kernel": _random(36, 4), "bias": _random(4)}
    before = _scaled(build, layer, constants, -1.0, ["batch", 4])
    model = ir.from_proto(before)
    assert fold_scaling(model) == 2
    after = ir.to_proto(model)
    assert _operators(after) == ["Cast", "Reshape", "Gemm"]
    _same(run, before, after, RNG.integers(0, 256, (2, 1, 6, 6), dtype=np.uint8))


def test_an_offset_before_padding_stays_and_a_scale_folds(build: Any, run: Any) -> None:
    layer = [node("Conv", ["shifted", "kernel"], ["probabilities"], pads=[1, 1, 1, 1])]
    constants = {"kernel": _random(3, 1, 3, 3)}
    assert fold_scaling(ir.from_proto(_scaled(build, layer, constants, -1.0, ["batch", 3, 6, 6]))) == 0
    before = _scaled(build, layer, constants, 0.0, ["batch", 3, 6, 6])
    model = ir.from_proto(before)
    assert fold_scaling(model) == 2
    _same(run, before, ir.to_proto(model), RNG.integers(0, 256, (2, 1, 6, 6), dtype=np.uint8))


def test_scaling_by_channel_stays(build: Any) -> None:
    layer = [node("Conv", ["shifted", "kernel"], ["probabilities"])]
    before = _scaled(build, layer, {"kernel": _random(3, 1, 3, 3)}, 0.0, ["batch", 3, 4, 4])
    before.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(_random(1, 1, 6, 1), "scale"))
    assert fold_scaling(ir.from_proto(before)) == 0
