"""The variant `fp16`: narrowed, and held against Keras as fp32 was, with a tolerance of its own."""

from __future__ import annotations

from edgeconv.conversion.float16.narrowing import rounded, to_fp16
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.conversion.variants.fp32 import layer_to_blame
from edgeconv.conversion.verification.agreement import largest_difference
from edgeconv.conversion.verification.structure import verify_structure
from edgeconv.errors import UnsupportedModelError
from edgeconv.variants import FP16_TOLERANCE


def make(context: VariantContext) -> ConvertedFile:
    """Return the float16 variant.

    Raises:
        UnsupportedModelError: its answers are others than Keras', or overflow.
    """
    context.progress.say("Converting to float16")
    reference, compared = context.reference, context.sample_inputs
    model = to_fp16(context.fp32.model, compared.batches[0].feeds)
    file = verify_structure(model, str(reference.path), reference.inputs, reference.outputs)
    # ONNX Runtime computes float16 in float32 on x86: only with explicit roundings does an overflow show there.
    for twin in (model, rounded(model)):
        difference = largest_difference(twin.SerializeToString(deterministic=True), compared)
        if not difference.share <= FP16_TOLERANCE:
            raise UnsupportedModelError(
                f"`{reference.path}` in float16 must {difference.sentence(FP16_TOLERANCE)}; "
                f"{layer_to_blame(reference, twin, difference, FP16_TOLERANCE)}. Export it without `--fp16`."
            )
    return ConvertedFile(model, file)
