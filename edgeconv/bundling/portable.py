"""A variant for runtimes whose options a bundle cannot set: int8 that is right on every processor as it is."""

from __future__ import annotations

from edgeconv.errors import require
from edgeconv.variants import is_int8


def portable(model: bytes, variant: str) -> bytes:
    """Return a model that needs no session option to add up int8 products right.

    Args:
        model: the bytes of an `.onnx` file.
        variant: what is in it; only one in int8 is changed.

    Raises:
        MissingDependencyError: int8 is to be changed, and `onnx` is not installed.
    """
    if not is_int8(variant):
        return model
    require("onnx", extra="train", purpose="Bundling int8 for this target")
    from edgeconv.conversion.int8.unsigned_weights import with_unsigned_weights

    return with_unsigned_weights(model)
