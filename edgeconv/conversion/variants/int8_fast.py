"""The variant `int8-fast`: the int8 file in the form that is the fastest on this machine, with equal answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.int8.forms.candidates import PLAIN, blocked_candidates, gemm_candidates
from edgeconv.conversion.int8.forms.speed import SpeedComparison, fastest
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.errors import UnsupportedModelError
from edgeconv.parity.comparison import ComparisonSet
from edgeconv.parity.stage import answers_of, scores_of, stage_of

IMAGES_COMPARED = 256


def make(context: VariantContext) -> ConvertedFile | None:
    """Return the int8 file in the form that runs fastest here, or None where none is surely faster than it is.

    The forms, all of them in standard operators, are raced against one another, one image and one thread; then the
    fastest against itself with matrix products. Forms in ONNX Runtime's own operators (`com.microsoft`) are not tried:
    they were no faster than these in the convnets measured, and a file of standard operators runs everywhere.

    Raises:
        UnsupportedModelError: another form answers otherwise, which is a mistake of ours.
    """
    compared, batch = context.evaluation_set, context.reference.batch
    if compared is None or "int8" not in context.files:
        return None
    int8 = context.files["int8"]
    quantized, reduced = int8.quantized, int8.reduced_range
    feeds = {int8.model.graph.input[0].name: compared.images[: batch or 1]}
    forms, comparisons = _compared(int8.model, feeds)
    winner = comparisons[-1].winner
    context.progress.say(_sentence(comparisons))
    if winner == PLAIN or quantized is None:
        return None
    model = forms[winner]
    data: bytes = model.SerializeToString(deterministic=True)
    few = compared.first(IMAGES_COMPARED)
    expected, received = (_scores(file, few, batch, reduced) for file in (int8.bytes, data))
    if not np.array_equal(expected, received):
        raise UnsupportedModelError(
            f"int8 in the form {winner} must answer as int8 does, to the bit. Received: a difference of "
            f"{np.abs(expected - received).max():.3g}. Export without `--fast`, and report it."
        )
    arguments = replace(quantized.arguments, form=winner)
    return replace(
        int8,
        model=model,
        bytes=data,
        quantized=replace(quantized, model=model, arguments=arguments),
        search=None,
        answers={},
    )


def _scores(model: bytes, compared: ComparisonSet, batch: int | None, reduced: bool) -> NDArray[np.float32]:
    return scores_of(answers_of(stage_of("int8", model, batch=batch, reduced_range=reduced), compared))


def _compared(
    int8: onnx.ModelProto, feeds: Mapping[str, NDArray[Any]]
) -> tuple[dict[str, onnx.ModelProto], list[SpeedComparison]]:
    """Return all forms by name, and the comparisons: the winner of the first is the one to beat in the second."""
    forms = blocked_candidates(int8)
    comparisons = [fastest(forms, feeds)]
    winner = comparisons[0].winner
    products = gemm_candidates(winner, forms[winner])
    if products:
        comparisons.append(fastest({winner: forms[winner], **products}, feeds))
    return {**forms, **products}, comparisons


def _sentence(comparisons: Sequence[SpeedComparison]) -> str:
    plain, winner = comparisons[0].times[PLAIN], comparisons[-1].winner
    best = comparisons[-1].times[winner]
    number = len({name for comparison in comparisons for name in comparison.times})
    times = f"{best.median_us:,.0f} us beside {plain.median_us:,.0f}"
    if number == 1:
        return "No other form of int8 was found: int8 is the fastest."
    if winner != PLAIN:
        return f"int8 is fastest here as {winner}: {times}, of {number} forms."
    said = f"None of {number} forms of int8 is surely faster than it is: {plain.median_us:,.0f} us."
    told_apart = all(comparison.told_apart for comparison in comparisons)
    return said if told_apart else f"{said} The machine is too busy to tell them apart."
