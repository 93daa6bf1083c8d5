"""Which tensor of a graph is which layer's output.

Nodes are named after layers, which says where to look, and not what to find: a layer may become several nodes, a
batch normalization may lie in the weights of the convolution before it, a pixel's scaling in those of the first layer,
and a transpose may have moved. So a tensor is known by what it holds: first by its statistics, which layouts leave
alone, and by its name where these differ, as behind a mistake they must.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from edgeconv.conversion.explanation.comparing import TensorComparison, best_of
from edgeconv.conversion.explanation.recording import LayerRecord
from edgeconv.conversion.explanation.searching import FOLDS_BACK, FOLDS_FORWARD, Names, Search
from edgeconv.conversion.explanation.tapping import TappedModel


@dataclass(frozen=True)
class Match:
    """Where a layer's output may be found in a graph.

    Attributes:
        record: the layer's output.
        scope: what the nodes of the layer are named after.
        alike: names of values with its statistics, the likeliest first.
        named: names of values that bear its name, or nobody else's, the likeliest first.
    """

    record: LayerRecord
    scope: str
    alike: Names
    named: Names

    @property
    def candidates(self) -> Names:
        """All of them; none where the layer was folded away."""
        return tuple(dict.fromkeys((*self.alike, *self.named)))


def match_layers(
    records: Sequence[LayerRecord], model: TappedModel, *, near: float, scopes: Mapping[str, str] | None = None
) -> tuple[Match, ...]:
    """Find the tensors that may be the outputs of layers.

    Args:
        records: outputs of layers in the order of the calls.
        model: the graph.
        near: statistics that differ by less, as a share of the spread, speak for the same tensor.
        scopes: the scope of a record's tensor by the record's name, where it is not the layer's path.

    Returns:
        A match for each record, in their order.
    """
    search = Search(records, model, scopes or {})
    alike = [search.alike(place, near) for place in range(len(records))]
    search.claim(alike)
    found: list[Match] = []
    for place, record in enumerate(records):
        named = search.named(place)
        folds = record.class_name in FOLDS_BACK | FOLDS_FORWARD
        if not alike[place] and not named and not folds:
            named = search.left_over(place)
        found.append(Match(record, search.scopes[place], alike[place], named))
        if place and record.class_name in FOLDS_BACK and found[place - 1].scope == found[place].scope:
            # The one tensor of both is the later layer's.
            found[place - 1] = replace(found[place - 1], named=())
    return tuple(found)


def settle(
    match: Match, expected: NDArray[Any], received: Mapping[str, NDArray[Any]], model: TappedModel, *, limit: float
) -> tuple[str, TensorComparison] | None:
    """Return the value that is a layer's output, and how far it lies from it, or None: it was folded away after all.

    Args:
        match: where to look.
        expected: the layer's output.
        received: the candidates' arrays.
        model: the graph.
        limit: share of the spread that a value may differ by of which only its statistics say that it is the one:
            a layer that only moves data looks like the one before it.
    """
    nearest = best_of(expected, received, match.candidates)
    if nearest is not None and nearest[1].share <= limit:
        return nearest
    own = [name for name in match.alike if model.values[name].scope == match.scope]
    return best_of(expected, received, [*own, *match.named])
