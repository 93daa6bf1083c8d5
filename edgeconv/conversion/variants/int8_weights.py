"""The variant `int8-weights`: fp32 whose weights are stored in 8 bits, for the size alone."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.conversion.variants.int8 import judge_of
from edgeconv.conversion.verification.structure import verify_structure
from edgeconv.conversion.weights_only.constants import weights_in
from edgeconv.conversion.weights_only.storing import Steps, nearest, with_steps
from edgeconv.formatting import format_size


def make(context: VariantContext) -> ConvertedFile:
    """Return fp32 with weights in 8 bits, a scale for each output channel."""
    fp32 = context.fp32.model
    return verified(context, fp32, [nearest(each, 8) for each in weights_in(fp32)])


def verified(context: VariantContext, fp32: onnx.ModelProto, stored: Sequence[Steps]) -> ConvertedFile:
    """Return a file with weights as they are stored, and say what it weighs and how long it takes beside fp32.

    Args:
        context: what the variant is made from.
        fp32: the float model, of an opset that has what is stored.
        stored: its weights.
    """
    reference, model = context.reference, with_steps(fp32, stored)
    file = verify_structure(model, str(reference.path), reference.inputs, reference.outputs)
    judge, few = judge_of(context), sum(steps.bits == 4 for steps in stored)
    (size, time), (whole, fastest) = judge.cost(model), judge.cost(context.fp32.model)
    what = f"4 bits in {few} of {len(stored)} layers, 8 in the others" if few else "8 bits"
    context.progress.say(
        f"Weights alone in {what}: {format_size(size)} beside {format_size(whole)} of fp32; for the size, not the "
        f"speed: {time:,.0f} us a sample here beside {fastest:,.0f}"
    )
    return ConvertedFile(model, file)
