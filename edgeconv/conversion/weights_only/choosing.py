"""Which weights have 4 bits: as many as keep the answers, the least sensitive layers first; the others have 8."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import onnx

from edgeconv.conversion.int8.search.ranking import rank
from edgeconv.conversion.weights_only.constants import Weights
from edgeconv.conversion.weights_only.storing import Steps, nearest, takes_blocks, with_steps
from edgeconv.parity.comparison import Feeds
from edgeconv.progress import SILENT, Progress

Round = Callable[[Collection[str]], list[Steps]]
"""Returns all weights as they are stored, with those of some names in 8 bits."""


def fewest_in_8_bits(
    fp32: onnx.ModelProto,
    weights: Sequence[Weights],
    round_to: Round,
    holds: Callable[[onnx.ModelProto], bool],
    batches: Callable[[], Iterable[Feeds]],
    *,
    progress: Progress = SILENT,
) -> list[Steps]:
    """Return weights as they are stored in a model that holds, or all in 8 bits where no other does.

    Where 4 bits do not hold everywhere, each layer is ranked by what 4 bits in it alone do to the answers, and the
    worst have 8 bits: as few as it takes, found by doubling their number and then halving the steps.

    Args:
        fp32: the float model, of an opset that has 4 bits.
        weights: of it.
        round_to: makes the candidates.
        holds: judges a model.
        batches: starts some samples anew, for the ranking.
        progress: sees a bar of layers.
    """
    tried: dict[int, list[Steps]] = {0: round_to(())}
    if holds(with_steps(fp32, tried[0])):
        return tried[0]
    able = {each.name: each for each in weights if takes_blocks(each)}

    def only(name: str | None) -> onnx.ModelProto:
        return with_steps(fp32, [] if name is None else [nearest(able[name], 4)])

    order = [entry.layer for entry in rank(list(able), only, batches, progress=progress)]
    failing, count = 0, 1
    while True:
        tried[count] = round_to(order[:count])
        if count >= len(order) or holds(with_steps(fp32, tried[count])):
            break
        failing, count = count, min(2 * count, len(order))
    while count - failing > 1:
        middle = (failing + count) // 2
        tried[middle] = round_to(order[:middle])
        if holds(with_steps(fp32, tried[middle])):
            count = middle
        else:
            failing = middle
    return tried[count]
