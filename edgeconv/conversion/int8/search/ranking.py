"""Which layers int8 hurts most: each is quantized alone, and its noise is measured where it counts, in the answers.

The noise of one layer next to another's is that of the local SQNR only by chance: what follows may drown it or blow it
up, and errors of the layers before it add to it. And what leaving one layer in float gains is a small difference of
two large numbers. Quantized alone, each layer's noise is measured by itself, and as long as noise is small it adds up:
the model without the worst of it is as good as the rest of the list says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.int8.search.settings import LayerSensitivity
from edgeconv.conversion.int8.targets import END_OPERATORS
from edgeconv.parity.comparison import Feeds
from edgeconv.parity.sqnr import SMALLEST, power, sqnr_db
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.cores import usable_cores
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import open_session

Batches = Callable[[], Iterable[Feeds]]
Only = Callable[[str | None], onnx.ModelProto]
"""Makes a model in which the named layer alone is int8; None: none is."""


def rank(
    layers: Sequence[str], only: Only, batches: Batches, *, progress: Progress = SILENT
) -> tuple[LayerSensitivity, ...]:
    """Rank layers by their sensitivity to int8, each alone; a run of the model for each layer.

    Memory holds one model, a batch, and the answers to all samples. A few dozen are enough: every element of
    every answer counts, and each output as much as any other. Behind a Softmax nothing is to be seen where it is sure,
    so what goes into it is compared.

    Args:
        layers: their names.
        only: makes the models.
        batches: starts the samples anew, a batch at a time.
        progress: sees a bar of layers.

    Returns:
        The most sensitive first; layers of equal sensitivity in the order given.
    """
    with progress.bar("Ranking layers", 1 + len(layers)) as advance:
        expected = _answers(only(None), batches())
        advance(1, "float")
        units = [max(power(values), SMALLEST) if len(expected) > 1 else 1.0 for values in expected]
        signal = _power(expected, units)
        found: list[LayerSensitivity] = []
        for layer in layers:
            answers = _answers(only(layer), batches())
            noise = _power([given - wanted for given, wanted in zip(answers, expected, strict=True)], units)
            found.append(LayerSensitivity(layer, sqnr_db(signal, noise)))
            advance(1, layer)
    return tuple(sorted(found, key=lambda entry: np.inf if entry.sqnr_db is None else entry.sqnr_db))


def _power(outputs: Sequence[NDArray[np.float64]], units: Sequence[float]) -> float:
    return sum(power(values) / unit for values, unit in zip(outputs, units, strict=True))


def _answers(model: onnx.ModelProto, batches: Iterable[Feeds]) -> list[NDArray[np.float64]]:
    """Return the numbers of each float output, before what stays in float at its end."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for answer in bare.graph.output:
        last = next((node for node in bare.graph.node if answer.name in node.output), None)
        if last is not None and last.op_type in END_OPERATORS:
            answer.CopyFrom(onnx.ValueInfoProto(name=last.input[0]))
            bare.graph.node.remove(last)
    session = open_session(bare.SerializeToString(), CPU, usable_cores())
    floats = [output.name for output in session.get_outputs() if output.type == "tensor(float)"]
    answers = [session.run(floats, dict(feeds)) for feeds in batches]
    return [
        np.concatenate([array.astype(np.float64).ravel() for array in output]) for output in zip(*answers, strict=True)
    ]
