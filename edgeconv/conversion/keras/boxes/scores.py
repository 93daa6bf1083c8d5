"""What the scores of a detector are: behind which activation, and with which background."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeconv.conversion.keras.head import PASSED_THROUGH, SIGMOIDS, SOFTMAX, activation_of
from edgeconv.conversion.keras.structure import leaves


def found_activation(tensor: Any, stated: str | None) -> tuple[str | None, str | None]:
    """Return the activation of scores, and which of it is still to be done to the model's output.

    Args:
        tensor: the symbolic output that holds them, in its last columns where it holds boxes too.
        stated: what the user says, or None.

    Returns:
        "sigmoid", "softmax" or "none", None where nobody knows; and "sigmoid", "softmax" or None.
    """
    inside = set(_activations(tensor))
    done = "sigmoid" if inside <= SIGMOIDS else SOFTMAX if inside == {SOFTMAX} else None
    if stated is None:
        return done, None
    if stated == "none" or stated == done:
        return done or "none", None
    return stated, stated


def _activations(tensor: Any) -> Iterator[str]:
    """Yield the last activations before a tensor, through the joining of a pyramid's maps, or of boxes and scores."""
    history = getattr(tensor, "_keras_history", None)
    if history is None:
        yield ""
        return
    layer = history.operation
    inner = getattr(layer, "_functional", None) or layer
    if (outputs := getattr(inner, "_outputs_struct", None)) is not None:
        yield from _activations([leaf for _, leaf in leaves(outputs)][history.tensor_index])
        return
    parts, kind = layer._inbound_nodes[history.node_index].input_tensors, type(layer).__name__
    of_one_width = {part.shape[-1] for part in parts} == {tensor.shape[-1]}
    if kind == "Concatenate":
        for part in parts if of_one_width else parts[-1:]:
            yield from _activations(part)
    elif kind in PASSED_THROUGH:
        # A softmax over rows of one length says nothing of rows of another; a sigmoid is done to each number.
        yield from (name if of_one_width or name != SOFTMAX else kind for name in _activations(parts[0]))
    else:
        yield activation_of(tensor).name


def found_background(stated: str | None, columns: int, labels: int | None) -> str | None:
    """Return which of the scores behind a softmax is that of nothing, or None where nobody knows.

    Args:
        stated: what the user says, or None.
        columns: number of scores.
        labels: number of the classes, where they have names.
    """
    return "none" if stated is None and columns == labels else stated
