"""Lone `.onnx` files that strangers could make: each breaks what its contract says in a way of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgeconv.manifest import METADATA_KEY

TINY = Path(__file__).parent / "data" / "tiny"

IMAGE = ("batch", 12, 12, 3)

Change = Callable[[dict[str, Any]], object]


def graph_of(
    answer: Any,
    shape: Sequence[int | str] | None = ("batch", 3),
    *,
    kind: int = TensorProto.FLOAT,
    inputs: Mapping[str, Sequence[int | str]] | None = None,
    outputs: int = 1,
    image: int = TensorProto.UINT8,
) -> onnx.ModelProto:
    """Return a model that answers with a constant, whatever it is fed.

    Args:
        answer: the constant.
        shape: of the output, as the file declares it.
        kind: of the output, as the file declares it.
        inputs: shapes by name; None takes `IMAGE` as `image`.
        outputs: how many there are.
        image: type of the inputs.
    """
    given = {"image": IMAGE} if inputs is None else inputs
    names = ["probabilities", *(f"more{number}" for number in range(1, outputs))][:outputs]
    constant = numpy_helper.from_array(np.asarray(answer, object if kind == TensorProto.STRING else None))
    nodes = [helper.make_node("Constant", [], [name], name=name, value=constant) for name in names]
    graph = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info(name, image, size) for name, size in given.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name in names],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def endless_graph(depth: int = 1) -> onnx.ModelProto:
    """Return a model whose answer comes after 2**63 - 1 rounds of a loop around nothing, or around such loops."""
    body = None
    for level in range(depth):
        round_, again, passed = f"round{level}", f"again{level}", f"passed{level}"
        inner = helper.make_node("Identity", [passed], [f"{passed}_out"])
        if body is not None:
            inner = helper.make_node("Loop", ["rounds", "on", passed], [f"{passed}_out"], body=body)
        ends = [(f"{again}_out", TensorProto.BOOL), (f"{passed}_out", TensorProto.FLOAT)]
        body = helper.make_graph(
            [helper.make_node("Identity", [again], [f"{again}_out"]), inner],
            f"body{level}",
            [
                helper.make_tensor_value_info(name, kind, [])
                for name, kind in [(round_, TensorProto.INT64), (again, TensorProto.BOOL), (passed, TensorProto.FLOAT)]
            ],
            [helper.make_tensor_value_info(name, kind, []) for name, kind in ends],
        )
    loop = helper.make_node("Loop", ["rounds", "on", "start"], ["end"], body=body)
    constants = {"rounds": 2**63 - 1, "on": True, "start": F32(0.0), "row": ROW}
    return _computed([loop, helper.make_node("Add", ["row", "end"], ["probabilities"])], constants)


def stuck_graph(boxes: int = 300_000) -> onnx.ModelProto:
    """Return a model whose answer waits for one operator, and nothing stops that: each box with each."""
    zero = numpy_helper.from_array(np.zeros(1, F32))
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["boxes"], value=zero),
        helper.make_node("ConstantOfShape", ["count"], ["scores"], value=zero),
        helper.make_node("NonMaxSuppression", ["boxes", "scores", "most"], ["kept"]),
        helper.make_node("Cast", ["kept"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMin", ["numbers"], ["end"], keepdims=0),
        helper.make_node("Add", ["row", "end"], ["probabilities"]),
    ]
    return _computed(nodes, {"size": [1, boxes, 4], "count": [1, 1, boxes], "most": [boxes], "row": ROW})


def folded_graph(products: int = 300) -> onnx.ModelProto:
    """Return a model whose opening computes products of matrices, where constants are folded."""
    names = [f"matrix{number}" for number in range(products + 1)]
    nodes = [
        helper.make_node("Expand", ["one", "size"], names[:1]),
        *(helper.make_node("MatMul", [name, name], [next_]) for name, next_ in pairwise(names)),
        helper.make_node("ReduceMin", names[-1:], ["end"], keepdims=0),
        helper.make_node("Add", ["row", "end"], ["probabilities"]),
    ]
    return _computed(nodes, {"one": F32(0.0), "size": [1500, 1500], "row": ROW})


def large_graph(operator: str, inputs: Mapping[str, Any]) -> onnx.ModelProto:
    """Return a model in which an operator makes many numbers of a few."""
    nodes = [
        helper.make_node(operator, list(inputs), ["large"]),
        helper.make_node("ReduceMax", ["large"], ["end"], keepdims=0),
        helper.make_node("Add", ["row", "end"], ["probabilities"]),
    ]
    return _computed(nodes, {**inputs, "row": ROW})


def _computed(nodes: Sequence[onnx.NodeProto], constants: Mapping[str, Any]) -> onnx.ModelProto:
    """Return a model whose `probabilities` nodes compute of constants."""
    model = graph_of(ROW)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(np.array(value), name) for name, value in constants.items())
    return model


def write(path: Path, model: onnx.ModelProto, change: Change | None = None, text: str | None = None) -> Path:
    """Write a model with the contract of the tiny artifact inside, changed; or with this text for a contract."""
    manifest = json.loads((TINY / "manifest.json").read_text())
    if change is not None:
        change(manifest)
    helper.set_model_props(model, {METADATA_KEY: json.dumps(manifest) if text is None else text})
    path.write_bytes(model.SerializeToString())
    return path


def output(**values: Any) -> Change:
    """Return a change of what the contract says of the output."""
    return lambda manifest: manifest["output"].update(values)


def labels(*names: str) -> Change:
    """Return a change of the labels."""
    return lambda manifest: manifest.update(labels=list(names))


F32 = np.float32
ROW = np.array([[0.5, 0.25, 0.25]], F32)
DEEP = "[" * 100_000 + "]" * 100_000

LARGE: dict[str, dict[str, Any]] = {
    "ConstantOfShape": {"size": [10**12]},
    "Expand": {"one": ROW[:, :1], "size": [10**6, 10**6]},
    "Pad": {"one": ROW[:, 0], "pads": [0, 10**12]},
    "Range": {"first": F32(0.0), "end": F32(1e12), "step": F32(1.0)},
    "Tile": {"one": ROW[:, 0], "times": [10**12]},
}
"""Inputs of operators that make 4 TB of them."""

GRAPHS: dict[str, Callable[[Path], Path]] = {
    **{
        f"a large {operator}": lambda path, operator=operator: write(path, large_graph(operator, LARGE[operator]))
        for operator in LARGE
    },
    "fewer labels": lambda path: write(path, graph_of(ROW), labels("red")),
    "more labels": lambda path: write(path, graph_of(ROW), labels("red", "green", "blue", "more")),
    "no labels": lambda path: write(path, graph_of(ROW), labels()),
    "rank 0": lambda path: write(path, graph_of(F32(1.0), ())),
    "rank 1": lambda path: write(path, graph_of(ROW[0], (3,))),
    "rank 3": lambda path: write(path, graph_of(ROW[None], ("batch", 1, 3))),
    "undeclared rank": lambda path: write(path, graph_of(ROW[None], None)),
    "more rows than pictures": lambda path: write(path, graph_of(np.tile(ROW, (5, 1)), ("batch", 3))),
    "no rows": lambda path: write(path, graph_of(ROW[:0], ("batch", 3))),
    "no columns": lambda path: write(path, graph_of(ROW[:, :0], ("batch", 0))),
    "text for numbers": lambda path: write(path, graph_of([["a", "b", "c"]], ("batch", 3), kind=TensorProto.STRING)),
    "whole numbers": lambda path: write(path, graph_of(ROW.astype(np.int64), kind=TensorProto.INT64)),
    "no input": lambda path: write(path, graph_of(ROW, inputs={})),
    "two inputs": lambda path: write(path, graph_of(ROW, inputs={"image": IMAGE, "other": IMAGE})),
    "a picture of rank 0": lambda path: write(path, graph_of(ROW, inputs={"image": ()})),
    "a picture of rank 2": lambda path: write(path, graph_of(ROW, inputs={"image": ("batch", 12)})),
    "another size": lambda path: write(path, graph_of(ROW, inputs={"image": ("batch", 9, 9, 3)})),
    "pictures of text": lambda path: write(path, graph_of(ROW, image=TensorProto.STRING)),
    "pictures of doubles": lambda path: write(path, graph_of(ROW, image=TensorProto.DOUBLE)),
    "two outputs": lambda path: write(path, graph_of(ROW, outputs=2)),
    "another name": lambda path: write(path, graph_of(ROW, inputs={"x": IMAGE})),
    "not a number": lambda path: write(path, graph_of(ROW * F32("nan"))),
    "infinity": lambda path: write(path, graph_of(ROW * F32("inf"))),
    "logits of infinity": lambda path: write(path, graph_of(ROW * F32("inf")), output(kind="logits")),
    "a mask of rank 2": lambda path: write(path, graph_of(ROW), output(kind="tensor", task="mask")),
    "a picture made of rank 2": lambda path: write(path, graph_of(ROW), output(kind="tensor", task="picture")),
    "an unknown task": lambda path: write(path, graph_of(ROW), output(kind="tensor", task="magic")),
    "an unknown kind": lambda path: write(path, graph_of(ROW), output(kind="magic")),
    "a yes of three": lambda path: write(path, graph_of(ROW), output(kind="tensor", task="yes-no")),
    "values of one label": lambda path: write(
        path, graph_of(ROW), lambda m: (output(kind="tensor", task="values")(m), labels("x")(m))
    ),
    "boxes without boxes": lambda path: write(path, graph_of(ROW), output(kind="tensor", task="boxes")),
    "an unknown dtype": lambda path: write(path, graph_of(ROW), lambda m: m["input"].update(dtype="magic")),
    "a size of nothing": lambda path: write(path, graph_of(ROW), lambda m: m["preprocess"].update(height=0)),
    "a size beyond memory": lambda path: write(
        path, graph_of(ROW), lambda m: m["preprocess"].update(height=2**62, width=2**62)
    ),
    "an unknown filter": lambda path: write(path, graph_of(ROW), lambda m: m["preprocess"].update(filter="magic")),
    "no variants": lambda path: write(path, graph_of(ROW), lambda m: m.update(variants={})),
    "deep JSON": lambda path: write(path, graph_of(ROW), text=DEEP),
    "a number that is none": lambda path: write(path, graph_of(ROW), text='{"format": NaN}'),
    "a long number": lambda path: write(path, graph_of(ROW), text="9" * 5000),
    "a list": lambda path: write(path, graph_of(ROW), text="[]"),
}
"""Writers of files, by what is wrong."""
