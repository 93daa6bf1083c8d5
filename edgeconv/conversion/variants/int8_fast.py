"""The variant `int8-fast`: the int8 file in the form that is the fastest on this machine, with equal answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.int8.forms.candidates import SHIPPED, blocked_candidates, gemm_candidates
from edgeconv.conversion.int8.forms.speed import SpeedComparison, fastest
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.errors import UnsupportedModelError
from edgeconv.parity.stage import stage_of_tensors

SAMPLES_COMPARED = 256


def make(context: VariantContext) -> ConvertedFile | None:
    """Return the int8 file in the form that runs fastest here, or None where none is surely faster than it is.

    The forms, all of them in standard operators, are raced against one another, one sample and one thread; then the
    fastest against itself with matrix products. Forms in ONNX Runtime's own operators (`com.microsoft`) are not tried:
    they were no faster than these in the convnets measured, and a file of standard operators runs everywhere.

    Raises:
        UnsupportedModelError: another form answers otherwise, which is a mistake of ours.
    """
    batch = context.reference.batch
    if "int8" not in context.files:
        return None
    int8 = context.files["int8"]
    quantized, reduced = int8.quantized, int8.reduced_range
    feeds = {name: array[:SAMPLES_COMPARED] for name, array in context.compared.batches[0].feeds.items()}
    forms, comparisons = _compared(int8, {name: array[: batch or 1] for name, array in feeds.items()})
    winner = comparisons[-1].winner
    context.progress.say(_sentence(comparisons))
    if winner == SHIPPED or quantized is None:
        return None
    model = forms[winner]
    data: bytes = model.SerializeToString(deterministic=True)
    expected, received = (
        stage_of_tensors("int8", file, batch=batch, reduced_range=reduced).run(feeds) for file in (int8.bytes, data)
    )
    off = max(_difference(received[name], wanted) for name, wanted in expected.items())
    if off > 0.0:
        raise UnsupportedModelError(
            f"int8 in the form {winner} must answer as int8 does, to the bit. Received: a difference of "
            f"{off:.3g}. Export without `--fast`, and report it."
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


def _difference(received: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Return the largest difference of two arrays, which may be of numbers or of yes and no."""
    return float(np.abs(received.astype(np.float64) - wanted).max(initial=0.0))


def _compared(
    int8: ConvertedFile, feeds: Mapping[str, NDArray[Any]]
) -> tuple[dict[str, onnx.ModelProto], list[SpeedComparison]]:
    """Return all forms by name, and the comparisons: the winner of the first is the one to beat in the second."""
    forms = blocked_candidates(int8.model, int8.in_layers)
    comparisons = [fastest(forms, feeds)]
    winner = comparisons[0].winner
    products = gemm_candidates(winner, forms[winner])
    if products:
        comparisons.append(fastest({winner: forms[winner], **products}, feeds))
    return {**forms, **products}, comparisons


def _sentence(comparisons: Sequence[SpeedComparison]) -> str:
    plain, winner = comparisons[0].times[SHIPPED], comparisons[-1].winner
    best = comparisons[-1].times[winner]
    number = len({name for comparison in comparisons for name in comparison.times})
    times = f"{best.median_us:,.0f} us beside {plain.median_us:,.0f}"
    if number == 1:
        return "No other form of int8 was found: int8 is the fastest."
    if winner != SHIPPED:
        return f"int8 is fastest here as {winner}: {times}, of {number} forms."
    said = f"None of {number} forms of int8 is surely faster than it is: {plain.median_us:,.0f} us."
    told_apart = all(comparison.told_apart for comparison in comparisons)
    return said if told_apart else f"{said} The machine is too busy to tell them apart."
