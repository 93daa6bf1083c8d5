"""The models that a race is run between: the QDQ file, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from edgeconv.conversion.int8.native.blocking import BLOCKINGS, Blocking
from edgeconv.conversion.int8.native.writing import to_blocked, to_gemm, to_native

PLAIN = "qdq"
"""The QDQ file as it came from the quantizer."""

GEMM = "-gemm"
"""What the name of a form ends in whose large convolutions are matrix products."""


def portable_candidates(int8: onnx.ModelProto, blockings: Iterable[Blocking] = BLOCKINGS) -> dict[str, onnx.ModelProto]:
    """Return the QDQ model and each different one in standard operators, by name, the QDQ model first.

    Args:
        int8: a QDQ model.
        blockings: those to try.
    """
    return _different({PLAIN: int8}, ((f"qdq-{blocking}", to_blocked(int8, blocking)) for blocking in blockings))


def gemm_candidates(name: str, form: onnx.ModelProto) -> dict[str, onnx.ModelProto]:
    """Return a form with its large convolutions by matrix products, by name; none where it has no such ones."""
    changed = to_gemm(form)
    return {} if changed is form else {f"{name}{GEMM}": changed}


def ort_candidates(
    int8: onnx.ModelProto, blockings: Iterable[Blocking] = BLOCKINGS, *, unsigned_weights: bool = True
) -> dict[str, onnx.ModelProto]:
    """Return each different model in ONNX Runtime's own operators, by name; see `to_native`."""
    made = ((f"ort-{blocking}", to_native(int8, blocking, unsigned_weights=unsigned_weights)) for blocking in blockings)
    return _different({}, made)


def _different(
    first: dict[str, onnx.ModelProto], others: Iterable[tuple[str, onnx.ModelProto]]
) -> dict[str, onnx.ModelProto]:
    kept, seen = dict(first), {model.graph.SerializeToString(deterministic=True) for model in first.values()}
    for name, model in others:
        data = model.graph.SerializeToString(deterministic=True)
        if data not in seen:
            seen.add(data)
            kept[name] = model
    return kept
