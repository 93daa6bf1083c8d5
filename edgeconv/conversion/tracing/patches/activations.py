"""Exact gelu and celu: TensorFlow's Erfc and Expm1, which tf2onnx does not map.

    erfc(x)  = 1 - erf(x)
    expm1(x) = exp(x) - 1

Upstream: https://github.com/onnx/tensorflow-onnx/issues/2463.
Goes when the oldest tf2onnx that edgeconv accepts maps both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeconv.conversion.tracing.patches.handler import Handlers, add, constant, numpy_dtype, replace


def handlers() -> Handlers:
    """Return the handlers of Erfc and Expm1."""
    return {"Erfc": (_erfc, []), "Expm1": (_expm1, [])}


def _erfc(graph: Any, node: Any, _name: str, _args: Any) -> None:
    replace(graph, node, "Sub", [_one(graph, node), add(graph, node, "Erf", list(node.input))])


def _expm1(graph: Any, node: Any, _name: str, _args: Any) -> None:
    replace(graph, node, "Sub", [add(graph, node, "Exp", list(node.input)), _one(graph, node)])


def _one(graph: Any, node: Any) -> str:
    return constant(graph, node, np.array(1, numpy_dtype(graph, node.output[0])))
