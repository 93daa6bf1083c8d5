"""Checks of the structure that every ONNX file must pass; its answers are checked in `agreement`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.conversion.graph.reading import all_nodes
from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.tracing.refusals import ADVICE
from edgeconv.errors import EdgeconvError, UnsupportedModelError, one_line
from edgeconv.runtime.session import Session


def verify_structure(proto: onnx.ModelProto, source: str, inputs: tuple[Port, ...], outputs: tuple[Port, ...]) -> bytes:
    """Check a model's structure, and return it as bytes; see `verify_and_open`."""
    return verify_and_open(proto, source, inputs, outputs)[0]


def verify_and_open(
    proto: onnx.ModelProto, source: str, inputs: tuple[Port, ...], outputs: tuple[Port, ...]
) -> tuple[bytes, Session]:
    """Check a model's operators, inputs and outputs, and that ONNX Runtime loads it.

    Args:
        proto: the model, named after its layers.
        source: what the errors call the Keras model.
        inputs: what the file must take, in this order.
        outputs: what it must give.

    Returns:
        The model as bytes, equal for equal models, and opened.

    Raises:
        UnsupportedModelError: names the layers of the operators that do not exist, or says what a check found.
    """
    opsets = {entry.domain: entry.version for entry in proto.opset_import}
    unknown = sorted({_named(node) for node in all_nodes(proto.graph) if not _exists(node, opsets)})
    if unknown:
        # tf2onnx logs an operator that it cannot map, and writes it into the file all the same.
        raise UnsupportedModelError(
            f"`{source}` must consist of operators that ONNX has at opset {opsets.get('', 0)}. Received: "
            f"{', '.join(unknown)}. Replace the layer, or do its work outside of the model."
        )
    for role, values, ports in (("inputs", proto.graph.input, inputs), ("outputs", proto.graph.output, outputs)):
        wanted = [(port.name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))) for port in ports]
        received = [(value.name, value.type.tensor_type.elem_type) for value in values]
        if wanted != received:
            raise UnsupportedModelError(
                f"`{source}` must convert to a file with the {role} {_listed(wanted)}. Received: {_listed(received)}. "
                "Replace the layer whose constants became inputs, or that changes what it is given."
            )
    data: bytes = proto.SerializeToString(deterministic=True)
    try:
        onnx.checker.check_model(data, full_check=True)
        session = Session(data)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, EdgeconvError) as error:
        advice = ADVICE["SavedModel"] if Path(source).is_dir() else "Replace the layer that it names."
        raise UnsupportedModelError(
            f"`{source}` must convert to ONNX that loads. Received: {_said(error)}. {advice}"
        ) from error
    return data, session


_INSIDE = re.compile(r"\(op_type:(\w+), node name: ([^)]*)\): \[\w+\] ([^(\[]+)")
"""How ONNX says which node is wrong, and why; a node that holds graphs is named before those inside."""


def _said(error: BaseException) -> str:
    """Return what ONNX says of the node that is wrong, on one line."""
    found = [parts for parts in _INSIDE.findall(str(error)) if not parts[2].startswith("Inference error")]
    if not found:
        return one_line(error)
    operator, name, reason = found[0]
    layer = layer_of_named(name.partition("/If/")[0]) or name.partition("/")[0]
    return f"{operator} of layer `{layer}`: {one_line(reason)}"


def _named(node: onnx.NodeProto) -> str:
    return f"{node.op_type} of layer `{layer_of_named(node.name) or node.name}`"


def _listed(ports: Sequence[tuple[str, int]]) -> str:
    types = onnx.TensorProto.DataType
    return ", ".join(f"{name} ({types.Name(kind).lower()})" for name, kind in ports) or "none"


def _exists(node: onnx.NodeProto, opsets: dict[str, int]) -> bool:
    try:
        onnx.defs.get_schema(node.op_type, max_inclusive_version=opsets.get(node.domain, 1), domain=node.domain)
    except onnx.defs.SchemaError:
        return False
    return True
