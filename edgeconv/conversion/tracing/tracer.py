"""From a Keras model to the ONNX graph that tf2onnx makes of it, or an error that names the layer.

The steps are those of `tf2onnx.convert.from_function`, taken one at a time: each graph can so be let go before the
next one is made, and the constants that Keras computed (a Normalization layer's mean) are frozen like the weights
instead of becoming inputs of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import onnx

from edgeconv.conversion.tracing.freezing import frozen
from edgeconv.conversion.tracing.layer_calls import LayerCalls, describe_layer, marked_names
from edgeconv.conversion.tracing.patches.registry import while_converted, while_traced
from edgeconv.conversion.tracing.refusals import FailedNodes, refuse_foreign_nodes, refused
from edgeconv.conversion.tracing.side_effects import refuse_side_effects
from edgeconv.errors import UnsupportedModelError
from edgeconv.quiet import native_log_held_back


def trace(
    answer: Callable[..., dict[str, Any]], signature: Sequence[Any], model: Any, *, opset: int, source: str
) -> onnx.ModelProto:
    """Return the ONNX graph of a function that calls a Keras model, as tf2onnx leaves it.

    Args:
        answer: called with one tensor for each name of the signature, as keyword arguments; returns tensors by name.
        signature: a named `tf.TensorSpec` for each input.
        model: the Keras model that `answer` calls; nodes are named after its layers.
        opset: of the ONNX domain; tf2onnx 1.17 knows up to 18.
        source: how messages call the model.

    Returns:
        The graph, whose inputs are the signature's and whose outputs are those of `answer`, in their orders.

    Raises:
        UnsupportedModelError: a layer cannot be traced, or does what ONNX cannot express.
    """
    with native_log_held_back():
        import tensorflow as tf
        import tf2onnx  # noqa: F401 - its log is set up by the import.

    for spec in signature:
        if spec.dtype == tf.string:
            raise UnsupportedModelError(
                f"`{source}` must have inputs of numbers. Received: input `{spec.name}` of strings. "
                "Look the strings up before the model, and make the model of the numbers."
            )
    failed = FailedNodes()
    with marked_names(model), native_log_held_back(), failed.collected():
        made = _traced_and_converted(answer, signature, model, opset, source)
    if isinstance(made, UnsupportedModelError):  # Raised out here: what the log held back would be shown with it.
        raise made
    refuse_foreign_nodes(made, model, failed, opset=opset, source=source)
    return made


def _traced_and_converted(
    answer: Callable[..., dict[str, Any]], signature: Sequence[Any], model: Any, opset: int, source: str
) -> onnx.ModelProto | UnsupportedModelError:
    try:
        function, outputs = _traced_function(answer, signature, model, source)
        inputs = [spec.name for spec in signature]
        try:
            return _converted(function, inputs, outputs, opset)
        except Exception:  # An optimisation that fails half-way leaves no graph: again, with a copy before each.
            return _converted(function, inputs, outputs, opset, careful=True)
    except Exception as error:  # tf2onnx raises whatever its handlers raise.
        made = refused(source, error)
        made.__cause__ = error if made is not error else error.__cause__
        return made


def _traced_function(
    answer: Callable[..., dict[str, Any]], signature: Sequence[Any], model: Any, source: str
) -> tuple[Any, list[str]]:
    """Return the concrete function, and the names of its outputs in order: a dict of outputs would be sorted."""
    import tensorflow as tf

    names: list[str] = []

    def called(*tensors: Any) -> list[Any]:
        answers = answer(**dict(zip((spec.name for spec in signature), tensors, strict=True)))
        names[:] = answers
        return list(answers.values())

    calls = LayerCalls()
    try:
        with while_traced(model), calls.followed():
            function = tf.function(called, input_signature=list(signature), autograph=False).get_concrete_function()
    except UnsupportedModelError as error:
        raise UnsupportedModelError(f"`{source}`, {describe_layer(model, calls.failed or model)}: {error}") from error
    except Exception as error:  # A layer's own code may raise anything.
        raise refused(source, error, describe_layer(model, calls.failed or model)) from error
    refuse_side_effects(function, model, source)
    return function, names


def _converted(
    function: Any, inputs: list[str], outputs: list[str], opset: int, *, careful: bool = False
) -> onnx.ModelProto:
    import tensorflow as tf
    from tf2onnx import optimizer
    from tf2onnx.tfonnx import process_tf_graph

    received = [tensor.name for tensor in function.inputs[: len(inputs)]]
    returned = [tensor.name for tensor in function.outputs]
    input_shapes = [tensor.shape for tensor in function.inputs]
    output_shapes = [tensor.shape for tensor in function.outputs]
    with while_converted() as handlers, tf.device("/cpu:0"):
        definition, large_constants = frozen(function, received, returned)
        with tf.Graph().as_default() as traced:
            tf.import_graph_def(definition, name="")
            del definition
            graph = process_tf_graph(
                traced,
                continue_on_error=True,
                opset=opset,
                custom_op_handlers=handlers,
                input_names=received,
                output_names=returned,
                tensors_to_rename=dict(zip(received + returned, inputs + outputs, strict=True)),
                const_node_values=large_constants,
            )
        del large_constants, traced
        graph = optimizer.optimize_graph(graph, catch_errors=careful)
        proto = cast(onnx.ModelProto, graph.make_model("edgeconv"))
    _complete(proto.graph.input, inputs, input_shapes)
    _complete(proto.graph.output, outputs, output_shapes)
    return proto


def _complete(values: Any, names: list[str], shapes: Sequence[Any]) -> None:
    """Put a graph's inputs or outputs into the model's order, and give shapes to those that tf2onnx leaves without."""
    by_name = {value.name: value for value in values}
    ordered = [by_name[name] for name in names]
    del values[:]
    for value, shape in zip(ordered, shapes, strict=False):
        tensor = value.type.tensor_type
        if not tensor.HasField("shape") and shape.rank is not None:
            tensor.shape.SetInParent()
            for size in shape:
                tensor.shape.dim.add(**({} if size is None else {"dim_value": size}))
    values.extend(ordered)
