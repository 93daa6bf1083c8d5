"""What every ONNX file must pass before it is believed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.errors import EdgeconvError, UnsupportedModelError
from edgeconv.runtime.session import Session

BATCHES = (1, 3)
RELATIVE_TOLERANCE = 1e-4
"""Share of the spread of the reference's outputs that rounding may cost; see `ledger.FP32_MAX_DP`."""


def verify_structure(proto: onnx.ModelProto, source: str) -> bytes:
    """Check a model's operators, inputs and outputs, and that ONNX Runtime loads it.

    Args:
        proto: the model.
        source: what the errors call the Keras model.

    Returns:
        The model as bytes, equal for equal models.

    Raises:
        UnsupportedModelError: names the operators that do not exist, or says what a check found.
    """
    opsets = {entry.domain: entry.version for entry in proto.opset_import}
    unknown = sorted({f"{node.op_type} ({node.name})" for node in proto.graph.node if not _exists(node, opsets)})
    if unknown:
        # tf2onnx logs an operator that it cannot map, and writes it into the file all the same.
        raise UnsupportedModelError(
            f"`{source}` must consist of operators that ONNX has. Received: {', '.join(unknown)}. "
            "Replace the layer that it is named after."
        )
    inputs = [value.name for value in proto.graph.input]
    if inputs != ["image"] or [value.name for value in proto.graph.output] != ["probabilities"]:
        raise UnsupportedModelError(
            f"`{source}` must convert to one input `image` and one output `probabilities`. Received: inputs "
            f"{', '.join(inputs)}. Replace the layer whose constants became inputs."
        )
    data: bytes = proto.SerializeToString(deterministic=True)
    try:
        onnx.checker.check_model(proto, full_check=True)
        Session(data)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, EdgeconvError) as error:
        raise UnsupportedModelError(
            f"`{source}` must convert to ONNX that loads. Received: {' '.join(str(error).split())}. "
            "Replace the layer that it names."
        ) from error
    return data


def verify_answers(
    model: bytes, reference: Callable[[NDArray[Any]], NDArray[np.float32]], images: NDArray[Any], source: str
) -> None:
    """Check on random images and two batch sizes that a model answers as its reference does.

    Args:
        model: the `.onnx` file.
        reference: images to answers, float32, (n, classes).
        images: at least as many as the largest batch.
        source: what the errors call the Keras model.

    Raises:
        UnsupportedModelError: the answers differ, or the reference's answers prove nothing.
    """
    session = Session(model)
    for batch in BATCHES:
        expected = reference(images[:batch])
        if not np.isfinite(expected).all():
            raise UnsupportedModelError(
                f"`{source}` must answer random pixels with finite numbers. Received: NaN or infinity. Train it again."
            )
        # Probabilities of a sure model have little spread of their own: their range is 1.
        spread = max(float(np.ptp(expected)), 1e-6)
        error = float(np.abs(session.run(images[:batch]) - expected).max())
        if not error <= RELATIVE_TOLERANCE * spread:
            raise UnsupportedModelError(
                f"`{source}` must answer in ONNX as in Keras, to within {RELATIVE_TOLERANCE:g} of the spread of its "
                f"outputs ({spread:.3g}). Received: a difference of {error:.3g} at batch {batch}. "
                "Report it with the model's `summary()`."
            )


def random_images(shape: tuple[int, ...], dtype: str, seed: int) -> NDArray[Any]:
    """Return random inputs, (n, ...): all of 0-255 for uint8, 0 to 1 for floats."""
    generator = np.random.default_rng(seed)
    if dtype == "uint8":
        return generator.integers(0, 256, shape, dtype=np.uint8)
    return generator.random(shape, dtype=np.float32)


def _exists(node: onnx.NodeProto, opsets: dict[str, int]) -> bool:
    try:
        onnx.defs.get_schema(node.op_type, max_inclusive_version=opsets.get(node.domain, 1), domain=node.domain)
    except onnx.defs.SchemaError:
        return False
    return True
