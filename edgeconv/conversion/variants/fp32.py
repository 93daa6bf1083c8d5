"""The variant `fp32`: traced, simplified, and believed only when it answers as Keras does."""

from __future__ import annotations

import numpy as np
import onnx

from edgeconv.conversion.explanation.divergence import first_divergence
from edgeconv.conversion.graph.releases import target
from edgeconv.conversion.graph.simplify import simplify
from edgeconv.conversion.keras import KerasReference
from edgeconv.conversion.tracing.patches.mixed_precision import rounding_of
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.conversion.verification.agreement import Difference, largest_difference
from edgeconv.conversion.verification.sample_inputs import draw_sample_inputs
from edgeconv.conversion.verification.structure import verify_and_open
from edgeconv.errors import UnsupportedModelError
from edgeconv.parity.comparison import ComparisonSet
from edgeconv.variants import FP32_TOLERANCE, REFERENCE

ROUNDINGS = 32
"""Roundings of half precision by which a model that was trained in it may answer otherwise in float32.

Each layer rounds anew; small networks differ by 1 or 2. With bfloat16 it is an eighth of the spread, with float16 a
sixty-fourth: more means other weights, not other rounding.
"""


def make(context: VariantContext) -> ConvertedFile:
    """Convert a Keras model to ONNX, and compare the answers.

    Raises:
        UnsupportedModelError: the model cannot be expressed in ONNX, or the file answers otherwise; names the layer.
    """
    reference, config, progress = context.reference, context.config, context.progress
    source = str(reference.path)
    release = target(opset=config.opset, min_runtime=config.min_runtime)
    progress.say(f"Converting {reference.parameters:,} parameters to ONNX")
    proto = simplify(reference.to_onnx(opset=release.opset))
    proto.ir_version = release.ir_version
    progress.say("Checking the file")
    file, session = verify_and_open(proto, source, reference.inputs, reference.outputs)
    progress.say("Comparing its answers with Keras")
    compared = draw_sample_inputs(reference, config.seed, context.inputs)
    if reference.trained is not reference.model:
        _check_rebuilt(reference, compared)
    difference = largest_difference(file, compared, session)
    if not difference.share <= FP32_TOLERANCE:
        raise UnsupportedModelError(
            f"`{source}` must {difference.sentence(FP32_TOLERANCE)}; "
            f"{layer_to_blame(reference, proto, difference, FP32_TOLERANCE)}. "
            "Replace that layer, and report it with the model's `summary()`."
        )
    answers = {}
    if context.evaluation_set is None and reference.boxes is None:  # What decodes boxes is not in the file yet.
        answers[REFERENCE] = difference.answers
    return ConvertedFile(proto, file, sample_inputs=compared, answers=answers, session=session)


def layer_to_blame(reference: KerasReference, model: onnx.ModelProto, difference: Difference, tolerance: float) -> str:
    """Return which layer makes a difference, as a part of a sentence."""
    found = first_divergence(reference, difference.batch.feeds, model, tolerance=tolerance)
    return found.sentence if found else "no layer does when ONNX Runtime leaves its optimisations out"


def _check_rebuilt(reference: KerasReference, compared: ComparisonSet) -> None:
    """Check that the float32 copy of a model in mixed precision is the same model."""
    tolerance = ROUNDINGS * rounding_of(reference.trained)
    spreads = compared.spreads or {}
    for batch in compared.batches:
        for name, answer in reference.run_trained(batch.feeds).items():
            error = float(np.abs(answer.astype(np.float64) - batch.expected[name]).max(initial=0.0))
            if not error <= tolerance * spreads[name]:
                raise UnsupportedModelError(
                    f"`{reference.path}` must answer in float32 as in mixed precision, to within {tolerance:g} of "
                    f"the spread. Received: a difference of {error:.3g} in `{name}`. Save it with the policy float32."
                )
