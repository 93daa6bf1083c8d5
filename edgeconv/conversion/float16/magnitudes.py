"""How large the tensors of a model become on examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray


def computed_floats(model: onnx.ModelProto) -> list[str]:
    """Return the names of the float32 tensors that the nodes of a model with inferred types compute."""
    types = {info.name: info.type.tensor_type.elem_type for info in (*model.graph.value_info, *model.graph.output)}
    return [name for node in model.graph.node for name in node.output if types.get(name) == onnx.TensorProto.FLOAT]


def largest_values(model: onnx.ModelProto, feeds: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """Return the largest magnitude of each float32 tensor that a node computes.

    The model runs with one number a tensor as its outputs, so that no tensor is kept.

    Args:
        model: with inferred types, see `onnx.shape_inference`, and one such tensor at least; left as it is.
        feeds: examples of its inputs, by name.
    """
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    graph = watched.graph
    computed = computed_floats(model)
    del graph.output[:]
    for number, name in enumerate(computed):
        magnitude, largest = f"magnitude/{number}", f"largest/{number}"
        graph.node.append(onnx.helper.make_node("Abs", [name], [magnitude]))
        graph.node.append(onnx.helper.make_node("ReduceMax", [magnitude], [largest], keepdims=0))
        graph.output.append(onnx.helper.make_tensor_value_info(largest, onnx.TensorProto.FLOAT, []))
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = session.run(None, dict(feeds))
    return {name: float(np.nan_to_num(answer, nan=np.inf)) for name, answer in zip(computed, answers, strict=True)}
