"""The models that a comparison is run between: the QDQ file, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from edgeconv.conversion.int8.forms.blocking import BLOCKINGS, Choice
from edgeconv.conversion.int8.forms.writing import to_blocked, to_gemm

SHIPPED = "int8"
"""The file that is made for every machine."""

PLAIN = "qdq"
"""The QDQ file as it came from the quantizer, where that is another."""

GEMM = "-gemm"
"""What the name of a form ends in whose large convolutions are matrix products."""


def blocked_candidates(
    int8: onnx.ModelProto, plain: onnx.ModelProto, blockings: Iterable[Choice] = BLOCKINGS
) -> dict[str, onnx.ModelProto]:
    """Return the int8 model and each different one that blocks make of it, by name, the int8 model first.

    Args:
        int8: a QDQ model, in blocks as the rule has them or not.
        plain: the same as it came from the quantizer.
        blockings: those to try.
    """
    forms = {PLAIN: plain, **{f"qdq-{blocking}": to_blocked(plain, blocking) for blocking in blockings}}
    found, seen = {SHIPPED: int8}, {_graph(int8)}
    for name, form in forms.items():
        if (graph := _graph(form)) not in seen:
            seen.add(graph)
            found[name] = form
    return found


def gemm_candidates(name: str, form: onnx.ModelProto) -> dict[str, onnx.ModelProto]:
    """Return a form with its large convolutions by matrix products, by name; none where it has no such ones."""
    changed = to_gemm(form)
    return {} if changed is form else {f"{name}{GEMM}": changed}


def _graph(model: onnx.ModelProto) -> bytes:
    data: bytes = model.graph.SerializeToString(deterministic=True)
    return data
