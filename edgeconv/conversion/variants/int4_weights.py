"""The variant `int4-weights`: fp32 with as many weights as hold in 4 bits, and the others in 8, for the size alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from edgeconv.conversion.int8.search.candidates import SAMPLES_CORRECTED, SAMPLES_RANKED, some_of
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.conversion.variants.int8 import judge_of
from edgeconv.conversion.variants.int8_weights import verified
from edgeconv.conversion.weights_only.choosing import fewest_in_8_bits
from edgeconv.conversion.weights_only.constants import weights_in
from edgeconv.conversion.weights_only.opset import with_int4
from edgeconv.conversion.weights_only.rounding import rounded
from edgeconv.conversion.weights_only.storing import Steps, nearest
from edgeconv.parity.accuracy import limit_of
from edgeconv.parity.comparison import Feeds
from edgeconv.variants import VARIANTS


def make(context: VariantContext) -> ConvertedFile:
    """Return fp32 with weights in 4 bits, a scale for each 32, as far as the answers are kept.

    Where there are calibration samples, weights are rounded by what their layers make of them, else to the nearest.
    """
    progress, calibration = context.progress, context.calibration
    progress.say("Storing weights in 4 bits")
    fp32 = with_int4(context.fp32.model)
    weights, judge = weights_in(fp32), judge_of(context)
    limit = limit_of(context.reference.task, context.config.max_drop)

    def samples(most: int) -> Iterator[Feeds]:
        if calibration is None:
            return islice((batch.feeds for batch in context.compared.batches), 1)
        return some_of(calibration, most, context.reference.batch)

    def round_to(in_8_bits: Collection[str]) -> list[Steps]:
        if calibration is None:
            return [nearest(each, 8 if each.name in in_8_bits else 4) for each in weights]
        return rounded(fp32, weights, lambda: samples(SAMPLES_CORRECTED), in_8_bits=in_8_bits, progress=progress)

    stored = fewest_in_8_bits(
        fp32,
        weights,
        round_to,
        lambda model: judge.drop(model).holds(limit),
        lambda: samples(SAMPLES_RANKED),
        progress=progress,
    )
    row = VARIANTS["int4-weights"]
    progress.say(f"{row.file} needs ONNX Runtime {row.min_runtime} or later")
    return verified(context, fp32, stored)
