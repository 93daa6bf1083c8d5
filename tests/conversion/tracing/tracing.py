"""What the tests of tracing share: a model traced, run by ONNX Runtime, and compared with Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from edgeconv.conversion.tracing.tracer import trace

OPSET = 17


def traced(model: Any, *, opset: int = OPSET) -> onnx.ModelProto:
    """Trace a model whose inputs are called in0, in1, ... and whose outputs out0, out1, ..."""
    import tensorflow as tf

    signature = [tf.TensorSpec(port.shape, port.dtype, name=f"in{place}") for place, port in enumerate(model.inputs)]
    return trace(lambda **tensors: _answer(model, tensors), signature, model, opset=opset, source="model.keras")


def worst_error(model: Any, *, low: float = -1.0, high: float = 1.0, dynamic: int = 6, opset: int = OPSET) -> float:
    """Return the largest difference from Keras over the spread of its answer, at two batch sizes.

    Keras answers once, to three examples, of which the smaller batch is the first: it traces anew for each size.
    """
    import tensorflow as tf

    proto = traced(model, opset=opset)
    onnx.checker.check_model(proto, full_check=True)
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    reference = tf.function(lambda **tensors: _answer(model, tensors), autograph=False)
    feeds = {f"in{place}": _values(port, 3, low, high, dynamic) for place, port in enumerate(model.inputs)}
    expected = reference(**{name: tf.constant(value) for name, value in feeds.items()})
    worst = 0.0
    for batch in (1, 3):
        given = session.run(None, {name: value[:batch] for name, value in feeds.items()})
        for answer, got in zip(expected.values(), given, strict=True):
            wanted = answer.numpy()[:batch]
            assert got.shape == wanted.shape
            spread = float(np.std(wanted))
            assert spread > 0, "a constant answer proves nothing"
            worst = max(worst, float(np.abs(got.astype(np.float64) - wanted).max()) / spread)
    return worst


def _answer(model: Any, tensors: dict[str, Any]) -> dict[str, Any]:
    import keras

    values = list(tensors.values())
    answers = keras.tree.flatten(model(values if len(values) > 1 else values[0], training=False))
    return {f"out{place}": answer for place, answer in enumerate(answers)}


def _values(port: Any, batch: int, low: float, high: float, dynamic: int) -> np.ndarray[Any, Any]:
    shape = [batch, *(dynamic if size is None else size for size in port.shape[1:])]
    generator = np.random.default_rng(batch)
    if "int" in port.dtype:
        return generator.integers(0, 5, shape).astype(port.dtype)
    return generator.uniform(low, high, shape).astype(port.dtype)
