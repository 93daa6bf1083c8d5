"""A whole graph as tf2onnx leaves it, cleaned: what must change, and what must not."""

from __future__ import annotations

import random as shuffling
from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.graph.passes.axes import name_input_axes, name_output_axes
from edgeconv.conversion.graph.passes.identities import drop_identities, settle_identities_in_bodies
from edgeconv.conversion.graph.simplify import PASSES, Pass, simplify
from tests.conversion.graph.rewriting import assert_same, changed, graph_of, node, operators, positive, random


def _axes(values: Any) -> list[list[int | str]]:
    return [[axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in values]


def _names(model: Any) -> list[str]:
    return [item.name for item in model.graph.node]


def _convnet(counter: int = 0) -> Any:
    """Conv -> norm -> squeeze and excite -> mean -> dense, with tf2onnx's counted names."""
    one, two = f"_{counter}", f"_{counter + 7}"
    nodes = [
        node("Transpose", ["x"], [f"t{two}"], f"m._1/conv._1/BiasAdd_{two}", perm=[0, 3, 1, 2]),
        node("Conv", [f"t{two}", "m._1/conv._1/merged:0"], [f"c{one}"], f"Conv_{one}"),
        node("Mul", [f"c{one}", f"s{one}"], [f"n{two}"], "m._1/norm._1/mul"),
        node("Add", [f"n{two}", f"b{two}"], ["a"], "m._1/norm._1/add"),
        node("GlobalAveragePool", ["a"], ["g"], "m._1/pool._1/Mean"),
        node("Squeeze", ["g", "hw"], [f"q{one}"], "m._1/pool._1/Squeeze"),
        node("Reshape", [f"q{one}", f"r{one}"], ["r"], f"m._1/gate._1/Add_{one}"),
        node("Conv", ["r", "gk"], ["e"], "m._1/gate._1/BiasAdd"),
        node("Sigmoid", ["e"], ["f"], "m._1/gate._1/Sigmoid"),
        node("Mul", ["a", "f"], ["h"], "m._1/excite._1/Mul"),
        node("GlobalAveragePool", ["h"], ["i"], "m._1/last._1/Mean"),
        node("Shape", ["i"], ["shape"], f"Shape_{one}"),
        node("Slice", ["shape", "zero", "onehot", "zero"], ["batch"], f"Slice_{two}"),
        node("Concat", ["batch", "rest"], ["target"], f"Concat_{one}", axis=0),
        node("Reshape", ["i", "target"], ["flat"], "m._1/flatten._1/Reshape"),
        node("MatMul", ["flat", "k"], ["p"], "m._1/dense._1/MatMul"),
        node("Add", ["p", "c"], ["y"], "m._1/dense._1/BiasAdd"),
    ]
    generator = np.random.default_rng(1)
    constants = {
        "m._1/conv._1/merged:0": generator.normal(size=(4, 3, 3, 3)).astype(np.float32),
        f"s{one}": generator.uniform(1, 2, (1, 4, 1, 1)).astype(np.float32),
        f"b{two}": generator.normal(size=(1, 4, 1, 1)).astype(np.float32),
        "gk": generator.normal(size=(4, 4, 1, 1)).astype(np.float32),
        "hw": np.array([2, 3]),
        f"r{one}": np.array([-1, 4, 1, 1]),
        "zero": np.array([0]),
        "onehot": np.array([1]),
        "rest": np.array([4]),
        "k": generator.normal(size=(4, 5)).astype(np.float32),
        "c": generator.normal(size=5).astype(np.float32),
    }
    keys = list(constants)
    shuffling.Random(counter).shuffle(keys)
    return graph_of(nodes, {key: constants[key] for key in keys}, {"x": [f"unk__{counter}", 8, 8, 3]})


def test_a_convnet_is_short_and_named_after_its_layers() -> None:
    before = _convnet()
    given = before.SerializeToString(deterministic=True)
    after = simplify(before)
    assert before.SerializeToString(deterministic=True) == given
    assert _names(after) == [
        "conv/Transpose",
        "conv/Conv",
        "pool/GlobalAveragePool",
        "gate/Conv",
        "gate/Sigmoid",
        "excite/Mul",
        "last/GlobalAveragePool",
        "flatten/Reshape",
        "dense/Gemm",
    ]
    assert _axes(after.graph.input) == [["batch", 8, 8, 3]]
    assert _axes(after.graph.output) == [["batch", 5]]
    for batch in (1, 3):
        assert_same(before, after, x=random(batch, 8, 8, 3))


@pytest.mark.parametrize("change", [*PASSES, settle_identities_in_bodies, name_input_axes, name_output_axes])
def test_a_graph_that_is_done_has_nothing_to_change(change: Pass) -> None:
    after = simplify(_convnet())
    count, again = changed(change, after)
    assert count == 0
    assert operators(again) == operators(after)


def test_changes_are_counted() -> None:
    copied = graph_of([node("Identity", ["x"], ["r"]), node("Relu", ["r"], ["y"])], {}, {"x": [2]})
    assert changed(drop_identities, copied)[0] == 1
    assert changed(name_input_axes, _convnet())[0] == 1


def test_equal_graphs_under_other_names_and_orders_give_equal_bytes() -> None:
    first, second = (simplify(_convnet(counter)).SerializeToString(deterministic=True) for counter in (0, 41))
    assert first == second


def test_a_node_that_two_layers_share_is_named_after_the_first_that_reads_it() -> None:
    """tf2onnx merges equal nodes of several layers under the name of any of them."""

    def shared(name: str) -> Any:
        nodes = [
            node("Relu", ["x"], ["r"], f"m._1/{name}._1/Relu"),
            node("MatMul", ["r", "k"], ["a"], "m._1/one._1/MatMul"),
            node("MatMul", ["r", "l"], ["b"], "m._1/two._1/MatMul"),
            node("Tanh", ["b"], ["c"], "m._1/two._1/Tanh"),
            node("Sub", ["a", "c"], ["y"], "m._1/sub._1/sub"),
        ]
        constants = {"k": np.eye(3, dtype=np.float32), "l": np.ones((3, 3), np.float32)}
        return simplify(graph_of(nodes, constants, {"x": ["batch", 3]}))

    first = shared("one")
    assert _names(first)[0] == "one/Relu"
    assert first.SerializeToString(deterministic=True) == shared("two").SerializeToString(deterministic=True)


def test_a_cast_to_its_own_type_goes_and_another_stays() -> None:
    nodes = [
        node("Cast", ["x"], ["1"], "m._1/a._1/Cast", to=onnx.TensorProto.FLOAT),
        node("Relu", ["1"], ["2"], "m._1/a._1/Relu"),
        node("Cast", ["2"], ["y"], "m._1/b._1/Cast", to=onnx.TensorProto.INT32),
    ]
    assert operators(simplify(graph_of(nodes, {}, {"x": ["batch", 3]}))) == ["Relu", "Cast"]


def test_inputs_and_outputs_keep_their_names_orders_and_types() -> None:
    nodes = [
        node("Gemm", ["b", "k"], ["1"], "m._1/d._1/MatMul"),
        node("Identity", ["1"], ["second"], "m._1/Identity"),
        node("Add", ["1", "1"], ["first"], "m._1/add._1/add"),
    ]
    before = graph_of(nodes, {"k": random(4, 3)}, {"a": ["unk__1", 7], "b": ["unk__2", 4]}, ["second", "first"])
    after = simplify(before)
    assert [value.name for value in after.graph.input] == ["a", "b"]
    assert [value.name for value in after.graph.output] == ["second", "first"]
    assert _axes(after.graph.input) == [["batch", 7], ["batch", 4]]
    assert_same(before, after, a=random(2, 7), b=random(2, 4))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (["unk__1", "unk__2", "unk__3", 3], ["batch", "height", "width", 3]),
        (["unk__1", "unk__2", 3], ["batch", "time", 3]),
        (["unk__1", "words"], ["batch", "words"]),
        ([2, "unk__2"], [2, "x_axis1"]),
        (["unk__1", "unk__2", 4, "unk__3", 5], ["batch", "x_axis1", 4, "x_axis3", 5]),
    ],
)
def test_dynamic_axes_have_names(shape: list[int | str], expected: list[int | str]) -> None:
    nodes = [node("Relu", ["x"], ["y"], "m._1/r._1/Relu"), node("ReduceMean", ["y"], ["z"], keepdims=0, axes=[0])]
    after = simplify(graph_of(nodes, {}, {"x": shape}, ["y", "z"]))
    assert _axes(after.graph.input) == [expected]
    assert _axes(after.graph.output) == [expected, expected[1:]]


def test_axes_of_two_inputs_are_not_taken_for_equal() -> None:
    nodes = [node("ReduceSum", ["a"], ["1"], keepdims=0), node("Add", ["b", "1"], ["y"])]
    after = simplify(graph_of(nodes, {}, {"a": ["unk__1", "unk__2", 3], "b": ["unk__3", "unk__4", 3]}))
    assert _axes(after.graph.input) == [["batch", "a_time", 3], ["batch", "b_time", 3]]
    assert _axes(after.graph.output) == [["batch", "b_time", 3]]


def _counted_loop(name: str) -> Any:
    """y = x + 3 * k: the body alone reads the constant k."""
    helper = onnx.helper
    body = helper.make_graph(
        [
            node("Add", [f"{name}sum", "k"], [f"{name}next"], f"{name}/add"),
            node("Identity", [f"{name}on"], [f"{name}still"]),
        ],
        f"{name}body",
        [
            helper.make_tensor_value_info(f"{name}i", onnx.TensorProto.INT64, []),
            helper.make_tensor_value_info(f"{name}on", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info(f"{name}sum", onnx.TensorProto.FLOAT, [f"unk__{len(name)}", 3]),
        ],
        [
            helper.make_tensor_value_info(f"{name}still", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info(f"{name}next", onnx.TensorProto.FLOAT, [f"unk__{len(name)}", 3]),
        ],
    )
    loop = node("Loop", ["times", "go", "x"], ["looped"], "m._1/rnn._1/while", body=body)
    nodes = [loop, node("Identity", ["looped"], ["y"])]
    constants = {"times": np.array(3), "go": np.array(True), "k": np.arange(3, dtype=np.float32)}
    model = graph_of(nodes, constants, {"x": ["batch", 3]})
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 3]))
    return model


def test_a_loop_keeps_what_its_body_reads_and_has_names() -> None:
    after = simplify(_counted_loop("while_7"))
    assert_same(_counted_loop("while_7"), after, x=random(2, 3))
    assert _names(after) == ["rnn/Loop"]
    (body,) = (item.g for item in after.graph.node[0].attribute if item.name == "body")
    assert "rnn/Loop/Add" in [item.name for item in body.node]
    assert simplify(_counted_loop("b")).SerializeToString(deterministic=True) == after.SerializeToString(
        deterministic=True
    )


@pytest.mark.parametrize("copied", [0, 1, None])
def test_of_two_equal_results_of_a_body_the_second_is_a_copy(copied: int | None) -> None:
    """tf2onnx makes a copy of either of them, or returns one twice."""

    def looped(copied: int | None) -> Any:
        model = _counted_loop("w")
        (body,) = (item.g for item in model.graph.node[0].attribute if item.name == "body")
        body.node.append(node("Identity", ["wnext"], ["wcopy"]))
        body.output.append(onnx.ValueInfoProto())
        body.output[2].CopyFrom(body.output[1])
        if copied is not None:
            body.output[2 - copied].name = "wcopy"
        model.graph.node[0].output.append("all")
        return simplify(model)

    after = looped(copied)
    onnx.checker.check_model(after, full_check=True)
    assert after.SerializeToString(deterministic=True) == looped(0).SerializeToString(deterministic=True)
    (body,) = (item.g for item in after.graph.node[0].attribute if item.name == "body")
    assert [value.name for value in body.output[1:]] == ["rnn/Loop/Add:0", "rnn/Loop/Identity:0"]


def test_what_a_body_reads_is_not_taken_for_what_follows() -> None:
    """One convolution's answer is scaled in the body of an If alone, and another's is handed out by a body as it is."""
    helper = onnx.helper
    bodies = [
        helper.make_graph(
            [node("Mul", ["a", "s"], [f"{name}"])] if name == "scaled" else [node("Identity", ["b"], [name])],
            name,
            [],
            [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", 2, 4, 4])],
        )
        for name in ("scaled", "plain")
    ]
    nodes = [
        node("Conv", ["x", "k"], ["a"], "m._1/conv._1/convolution"),
        node("Relu", ["x"], ["r"], "m._1/relu._1/Relu"),
        node("Conv", ["r", "k"], ["b"], "m._1/conv._1/convolution_1"),
        node("If", ["go"], ["y"], "m._1/either._1/cond", then_branch=bodies[0], else_branch=bodies[1]),
    ]
    for go in (True, False):
        constants = {"k": random(2, 3, 3, 3), "s": positive(1, 2, 1, 1), "go": np.array(go)}
        before = graph_of(nodes, constants, {"x": ["batch", 3, 6, 6]})
        before.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 2, 4, 4]))
        after = simplify(before)
        assert operators(after).count("Conv") == 2
        assert_same(before, after, x=random(2, 3, 6, 6))


def test_weights_that_are_equal_are_kept_once() -> None:
    kernel = random(64, 64)
    nodes = [
        node("MatMul", ["x", "a"], ["1"], "m._1/one._1/MatMul"),
        node("Relu", ["1"], ["2"], "m._1/one._1/Relu"),
        node("MatMul", ["2", "b"], ["y"], "m._1/two._1/MatMul"),
    ]
    before = graph_of(nodes, {"a": kernel, "b": kernel.copy()}, {"x": ["batch", 64]})
    after = simplify(before)
    assert len(after.graph.initializer) == 1
    assert operators(after) == ["MatMul", "Relu", "MatMul"]
    assert_same(before, after, x=random(2, 64))
