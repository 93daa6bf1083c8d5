"""What layers return, where Keras declares something else of integers.

A layer that computes its output's shape by itself declares the type that it computes in, float32, also where it hands
on what it is given: `Add` of two int32 tensors returns int32.
"""

from __future__ import annotations

from typing import Any


def returned_dtypes(network: Any) -> dict[int, str]:
    """Return the types of all tensors of a functional model, by the identity of the symbolic tensor.

    Only layers that read no floats are asked, each by a call of its own on symbols; the others compute in floats.
    """
    known = {id(tensor): str(tensor.dtype) for tensor in network.inputs}
    for _, nodes in sorted(network._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            declared = [str(tensor.dtype) for tensor in node.output_tensors]
            given = [known.get(id(tensor), str(tensor.dtype)) for tensor in node.input_tensors]
            asked = bool(given) and not any("float" in dtype for dtype in given)
            found = _asked(node, given) if asked else declared
            known.update(zip(map(id, node.output_tensors), found or declared, strict=False))
    return known


def _asked(node: Any, given: list[str]) -> list[str]:
    """Return the types of what a layer returns when it is called as the model calls it; empty if it cannot be."""
    import keras
    import tensorflow as tf

    def call(*tensors: Any) -> Any:
        filled = dict(zip(map(id, node.input_tensors), tensors, strict=True))
        args, kwargs = node.arguments.fill_in(filled)
        return node.operation(*args, **{**kwargs, **_inference(node.operation)})

    specs = [tf.TensorSpec(tensor.shape, dtype) for tensor, dtype in zip(node.input_tensors, given, strict=True)]
    try:
        answers = tf.function(call, autograph=False).get_concrete_function(*specs).structured_outputs
    except Exception:  # A layer's own code may raise anything; tracing the model says so with the layer's name.
        return []
    return [answer.dtype.name for answer in keras.tree.flatten(answers)]


def _inference(layer: Any) -> dict[str, bool]:
    return {"training": False} if getattr(layer, "_call_has_training_arg", False) else {}
