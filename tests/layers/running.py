"""One case through the whole pipeline, judged by feeds and a reference of the suite's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras import load_keras
from edgeconv.conversion.tracing.patches.adaptive_pooling import pooled_at_once
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.making import make_variants
from edgeconv.errors import ArtifactError, ConfigError, UnsupportedModelError
from tests.layers.case import Case

VERIFIED, REFUSED, FAILED = "verified", "refused", "failed"
TOLERANCE = 1e-4
"""The largest difference over the spread of Keras' answers: float32 rounding through a handful of layers is 1e-6."""

HALF_TOLERANCE = 0.02
"""The same where Keras computes in float16 or bfloat16, and the file in float32."""

Arrays = list[NDArray[Any]]


@dataclass(frozen=True)
class Verdict:
    """How a case ended.

    Attributes:
        outcome: `VERIFIED`, `REFUSED` or `FAILED`.
        reason: the line of the refusal, or what failed.
    """

    outcome: str
    reason: str = ""


def judge(case: Case, folder: Path) -> Verdict:
    """Save the case's model, export it, and compare the file with Keras on feeds that the exporter never saw."""
    model = case.build()
    if not _has_subject(model, case.subject):
        return Verdict(FAILED, f"the case's model holds no {case.subject}: another layer has this case's name")
    path = folder / "model.keras"
    model.save(path)
    try:
        onnx_path = export(path, folder)
    except (UnsupportedModelError, ConfigError, ArtifactError) as error:
        return _judge_refusal(str(error), model, str(path))
    except Exception as error:  # Anything else is what a user must never see.
        return Verdict(FAILED, f"traceback: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
    finally:
        path.unlink()
    return _judge_file(case, model, onnx_path)


def export(path: Path, folder: Path) -> Path:
    """Take the library's whole way from a `.keras` file to a verified `.onnx` file."""
    made = make_variants(VariantContext(load_keras(path, classes=True)))
    onnx_path = folder / "model.onnx"
    onnx_path.write_bytes(made.fp32.bytes)
    return onnx_path


def _has_subject(model: Any, subject: str) -> bool:
    """Tell whether a layer is in the model; functions leave no layer of their name."""
    import keras

    kind = getattr(keras.layers, subject, None)
    return not isinstance(kind, type) or any(type(layer) is kind for layer in model._flatten_layers())


def _judge_refusal(message: str, model: Any, path: str) -> Verdict:
    """Accept a line that holds a layer's name in quotes, alone or in a path: `dense` alone is also an adjective."""
    if "\\u000a" in message:  # As an error shows it.
        return Verdict(FAILED, f"the refusal has several lines: {message[:300]!r}")
    names = [layer.name for layer in model._flatten_layers(include_self=False) if not layer.name.startswith("input_")]
    if not any(re.search(rf"[`'\"/]{re.escape(name)}[`'\"/]", message) for name in names):
        return Verdict(FAILED, f"the refusal names none of {', '.join(names)}: {message}")
    return Verdict(REFUSED, message.replace(path, "model.keras"))


def _judge_file(case: Case, model: Any, onnx_path: Path) -> Verdict:
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])
    except Exception as error:
        return Verdict(FAILED, f"does not load: {' '.join(str(error).split())[:300]}")
    ports = session.get_inputs()
    inputs = [port.name for port in ports]
    if len(inputs) != len(case.feeds):
        return Verdict(FAILED, f"has the inputs {inputs} instead of {len(case.feeds)}")
    generator = np.random.default_rng(11)
    wanted: list[Arrays] = []
    given: list[Arrays] = []
    for which, batch in enumerate((2, 5)):
        arrays = [feed.draw(generator, batch, which) for feed in case.feeds]
        # Where scaling was found, the file takes pixels: Keras gets the same whole numbers.
        fed = [
            array.astype(np.uint8) if port.type == "tensor(uint8)" else array
            for port, array in zip(ports, arrays, strict=True)
        ]
        wanted.append(_reference(model, [made.astype(array.dtype) for made, array in zip(fed, arrays, strict=True)]))
        try:
            given.append([np.asarray(array) for array in session.run(None, dict(zip(inputs, fed, strict=True)))])
        except Exception as error:
            return Verdict(FAILED, f"does not run on batch {batch}: {' '.join(str(error).split())[:300]}")
    half = any("16" in str(layer.compute_dtype) for layer in model._flatten_layers())
    return _compare(
        wanted, given, [str(output.dtype) for output in model.outputs], HALF_TOLERANCE if half else TOLERANCE
    )


def _reference(model: Any, arrays: Sequence[NDArray[Any]]) -> Arrays:
    """Return Keras' answers: run as written, or compiled where TensorFlow's CPU kernels lack what the layer needs.

    Bytes are predicted on: layers of preprocessing round them where they are called on arrays, and only there.
    """
    import tensorflow as tf

    for layer in model._flatten_layers():
        if getattr(layer, "use_cudnn", None) is True:
            layer.use_cudnn = False
    if any(array.dtype == np.uint8 for array in arrays):
        return [np.asarray(answer) for answer in tf.nest.flatten(model.predict(list(arrays), verbose=0))]
    tensors = [tf.constant(array) for array in arrays]
    given = tensors if len(tensors) > 1 else tensors[0]
    try:
        with pooled_at_once():  # Or TensorFlow may kill the process: see there.
            answers = model(given, training=False)
    except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError):
        answers = tf.function(lambda: model(given, training=False), jit_compile=True)()
    return [np.asarray(answer) for answer in tf.nest.flatten(answers)]


def _compare(wanted: list[Arrays], given: list[Arrays], declared: list[str], tolerance: float) -> Verdict:
    """Compare call by call; a dtype may also be the declared one, which some layers of Keras do not keep."""
    if len(wanted[0]) != len(given[0]):
        return Verdict(FAILED, f"has {len(given[0])} outputs instead of {len(wanted[0])}")
    for index in range(len(wanted[0])):
        spread = _spread([call[index] for call in wanted])
        if not np.isfinite(spread) or spread == 0:
            return Verdict(FAILED, f"output {index} of Keras is degenerate: write a livelier case")
        for keras_call, onnx_call in zip(wanted, given, strict=True):
            one, other = keras_call[index], onnx_call[index]
            kinds = {str(one.dtype), declared[index]}
            if one.shape != other.shape or (str(other.dtype) not in kinds and tolerance == TOLERANCE):
                return Verdict(FAILED, f"output {index} is {other.dtype} {other.shape}, not {one.dtype} {one.shape}")
            error = float(np.max(np.abs(one.astype(np.float64) - other.astype(np.float64)), initial=0.0))
            if not error <= tolerance * spread:
                return Verdict(FAILED, f"output {index} differs from Keras by {error / spread:.2g} of its spread")
    return Verdict(VERIFIED)


def _spread(arrays: Arrays) -> float:
    values = np.concatenate([array.astype(np.float64).ravel() for array in arrays])
    return float(np.ptp(values)) if values.size else 0.0
