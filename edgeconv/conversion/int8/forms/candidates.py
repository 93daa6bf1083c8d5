"""The models that a comparison is run between: the QDQ file, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from edgeconv.conversion.int8.forms.blocking import BLOCKINGS, Blocking
from edgeconv.conversion.int8.forms.writing import to_blocked, to_gemm

PLAIN = "qdq"
"""The QDQ file as it came from the quantizer."""

GEMM = "-gemm"
"""What the name of a form ends in whose large convolutions are matrix products."""


def blocked_candidates(int8: onnx.ModelProto, blockings: Iterable[Blocking] = BLOCKINGS) -> dict[str, onnx.ModelProto]:
    """Return the QDQ model and each different one that blocks make of it, by name, the QDQ model first.

    Args:
        int8: a QDQ model.
        blockings: those to try.
    """
    found, seen = {PLAIN: int8}, {_graph(int8)}
    for blocking in blockings:
        form = to_blocked(int8, blocking)
        if (graph := _graph(form)) not in seen:
            seen.add(graph)
            found[f"qdq-{blocking}"] = form
    return found


def gemm_candidates(name: str, form: onnx.ModelProto) -> dict[str, onnx.ModelProto]:
    """Return a form with its large convolutions by matrix products, by name; none where it has no such ones."""
    changed = to_gemm(form)
    return {} if changed is form else {f"{name}{GEMM}": changed}


def _graph(model: onnx.ModelProto) -> bytes:
    data: bytes = model.graph.SerializeToString(deterministic=True)
    return data
