"""Each pass leaves the answers alone; each case of its docstring is one test."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from edgeconv.conversion.graph.passes.dense import absorb_transposes, fuse_dense
from edgeconv.conversion.graph.passes.reshapes import make_reshapes_constant
from tests.conversion.randomness import RNG

node = onnx.helper.make_node


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
