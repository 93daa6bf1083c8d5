"""Why no file keeps weights outside of itself: a model fits into one file, or is refused before it is converted.

A file is one protobuf message, which ends at 2 GiB. External data would hold more, but every reader of the artifact
would have to open files that another file names, which has led out of folders before (see `reading`).
"""

from __future__ import annotations

from edgeconv.errors import UnsupportedModelError
from edgeconv.formatting import format_size

LIMIT_BYTES = 2**31 - 2**24
"""Bytes of weights that one ONNX file can hold, with 16 MiB left for its nodes, names and contract.

Measured with onnx 1.23 and protobuf 7: with 2.14 GB of weights serialising, `onnx.checker`, shape inference and a
session from bytes work and take six times the weights at their peak, 12.7 GB; with 2.20 GB each of the first three
fails with `EncodeError: Failed to serialize proto`.
"""


def check_size(weight_bytes: int, source: str) -> None:
    """Check, before any conversion, that a model fits into one ONNX file.

    Args:
        weight_bytes: of all weights in the type that they are exported in, four for each float.
        source: what the error calls the Keras model.

    Raises:
        UnsupportedModelError: it does not fit.

    Example:
        >>> check_size(4 * 25_000_000, "resnet50.keras")
    """
    if weight_bytes > LIMIT_BYTES:
        raise UnsupportedModelError(
            f"`{source}` must have at most {format_size(LIMIT_BYTES)} of float32 weights, which one ONNX file holds. "
            f"Received: {format_size(weight_bytes)}. Export a smaller model, or its parts one by one."
        )
