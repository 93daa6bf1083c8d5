"""fp32: traced, cleaned, and believed only when it answers as Keras does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.contract import ConvertedFile
from edgeconv.conversion.explanation.divergence import first_divergence
from edgeconv.conversion.graph.simplify import clean
from edgeconv.conversion.keras import KerasReference
from edgeconv.conversion.tracing.patches.mixed_precision import rounding_of
from edgeconv.conversion.verification.agreement import TOLERANCE, Difference, Trials, draw_trials, largest_difference
from edgeconv.conversion.verification.structure import verify_structure
from edgeconv.errors import UnsupportedModelError
from edgeconv.progress import SILENT, Progress

ROUNDINGS = 32
"""Roundings of half precision by which a model that was trained in it may answer otherwise in float32.

Each layer rounds anew; small networks differ by 1 or 2. With bfloat16 it is an eighth of the spread, with float16 a
sixty-fourth: more means other weights, not other rounding.
"""


def convert_fp32(
    reference: KerasReference,
    *,
    opset: int,
    ir_version: int,
    seed: int,
    data: Mapping[str, NDArray[Any]] | None = None,
    progress: Progress = SILENT,
) -> tuple[KerasReference, ConvertedFile, Trials]:
    """Convert a Keras model to ONNX, and compare the answers.

    Args:
        reference: the model.
        opset: version of the ONNX operators.
        ir_version: version of the ONNX file format.
        seed: of random inputs.
        data: the user's inputs by name, (n, ...), in place of random ones.
        progress: hears of each step.

    Returns:
        The reference, with the batch size that it declares where it works with no other; the file; and the inputs
        that it was compared on.

    Raises:
        UnsupportedModelError: the model cannot be expressed in ONNX, or the file answers otherwise; names the layer.
    """
    declared = reference.interface.declared_batch
    try:
        return reference, *_convert(reference, opset, ir_version, seed, data, progress)
    except UnsupportedModelError:
        if declared is None or reference.batch is not None:
            raise
        progress.say(f"With any batch size it cannot be done: trying the {declared} that the model declares")
        fixed = replace(reference, batch=declared)
        return fixed, *_convert(fixed, opset, ir_version, seed, data, progress)


def _convert(
    reference: KerasReference,
    opset: int,
    ir_version: int,
    seed: int,
    data: Mapping[str, NDArray[Any]] | None,
    progress: Progress,
) -> tuple[ConvertedFile, Trials]:
    source = str(reference.path)
    progress.say(f"Converting {reference.parameters:,} parameters to ONNX")
    proto = clean(reference.to_onnx(opset=opset))
    proto.ir_version = ir_version
    progress.say("Checking the file")
    file = verify_structure(proto, source, reference.inputs, reference.outputs)
    progress.say("Comparing its answers with Keras")
    trials = draw_trials(reference, seed, data)
    if reference.trained is not reference.model:
        _check_rebuilt(reference, trials)
    difference = largest_difference(file, trials)
    if not difference.share <= TOLERANCE:
        raise UnsupportedModelError(
            f"`{source}` must {difference.sentence(TOLERANCE)}; {blame(reference, proto, difference, TOLERANCE)}. "
            "Replace that layer, and report it with the model's `summary()`."
        )
    return ConvertedFile(proto, file), trials


def blame(reference: KerasReference, model: onnx.ModelProto, difference: Difference, tolerance: float) -> str:
    """Return which layer makes a difference, as a part of a sentence."""
    found = first_divergence(reference, difference.trial.feeds, model, tolerance=tolerance)
    return found.sentence if found else "no layer does when ONNX Runtime leaves its optimisations out"


def _check_rebuilt(reference: KerasReference, trials: Trials) -> None:
    """Check that the float32 copy of a model in mixed precision is the same model."""
    tolerance = ROUNDINGS * rounding_of(reference.trained)
    for trial in trials.trials:
        for name, answer in reference.run_trained(trial.feeds).items():
            error = float(np.abs(answer.astype(np.float64) - trial.expected[name]).max(initial=0.0))
            if not error <= tolerance * trials.spreads[name]:
                raise UnsupportedModelError(
                    f"`{reference.path}` must answer in float32 as in mixed precision, to within {tolerance:g} of "
                    f"the spread. Received: a difference of {error:.3g} in `{name}`. Save it with the policy float32."
                )
