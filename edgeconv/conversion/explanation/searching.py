"""The search for the tensors of a graph that may be a layer's output, by what they hold and by what they are called."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from edgeconv.conversion.explanation.recording import LayerRecord
from edgeconv.conversion.explanation.statistics import TensorStatistics
from edgeconv.conversion.explanation.tapping import TappedModel, Value

CANDIDATES = 4
"""Tensors that are looked at for one layer."""

FOLDS_BACK = frozenset({"BatchNormalization"})
"""Layers that become part of the weights of the layer before them."""

FOLDS_FORWARD = frozenset({"Rescaling", "Normalization"})
"""Layers that become part of the weights of the layer behind them, the scale without the offset perhaps."""

Names = tuple[str, ...]


class Search:
    """The values of one graph.

    Args:
        records: outputs of layers in the order of the calls.
        model: the graph.
        scopes: the scope of a record's tensor by the record's name, where it is not the layer's path.
    """

    def __init__(self, records: Sequence[LayerRecord], model: TappedModel, scopes: Mapping[str, str]) -> None:
        self._records = records
        self._model = model
        self._statistics: dict[str, TensorStatistics] = model.statistics()
        self._by_size: dict[int, list[Value]] = defaultdict(list)
        self._inside: dict[str, int] = defaultdict(int)
        for value in model.values.values():
            self._by_size[self._statistics[value.name].size].append(value)
            self._inside[value.scope] |= value.made_from
        self._calls = Counter((record.path, _output(record)) for record in records)
        self.scopes = [scopes.get(record.name, record.path) for record in records]
        for place, record in enumerate(records):
            own = {value.scope for value in self._by_size[record.statistics.size]}
            if record.class_name in FOLDS_BACK and place and self.scopes[place] not in own:
                self.scopes[place] = self.scopes[place - 1]
        self._claimed: dict[str, int] = {}
        self._settled: set[str] = set()
        self._sources: list[tuple[int, int]] = []

    def alike(self, place: int, near: float) -> Names:
        """Return the values whose statistics are those of a record, its own scope's first."""
        record = self._records[place]
        ranked = sorted(
            (distance, value.scope != self.scopes[place], value.place, value.name)
            for value in self._by_size[record.statistics.size]
            if (distance := record.statistics.distance(self._statistics[value.name])) <= near
        )
        own = [name for _, foreign, _, name in ranked if not foreign]
        others = [name for _, foreign, _, name in ranked if foreign]
        return self._names([*own[: max(CANDIDATES // 2, CANDIDATES - len(others))], *others])

    def claim(self, found: Sequence[Names]) -> None:
        """Hold the likeliest value of each record for that layer's, and no other's."""
        for place, names in enumerate(found):
            if names:
                self._claimed.setdefault(names[0], place)
        self._sources = [(self._model.values[name].place, place) for name, place in self._claimed.items()]
        unsettled = {scope for scope, names in zip(self.scopes, found, strict=True) if not names}
        self._settled = {self._model.values[name].scope for name in self._claimed} - unsettled

    def named(self, place: int) -> Names:
        """Return the values of the layer's own scope that are no other layer's."""
        record = self._records[place]
        if record.class_name in FOLDS_FORWARD:
            return ()
        own = [value for value in self._free(record) if value.scope == self.scopes[place]]
        calls = self._calls[record.path, _output(record)]
        if own and len(own) % calls == 0:
            call = int(record.name.partition("#")[2].partition("[")[0] or 1) - 1
            share = len(own) // calls
            own = own[call * share : (call + 1) * share]
        return self._nearest(own, record)

    def left_over(self, place: int) -> Names:
        """Return values that bear another layer's name, and may yet be this one's.

        That other layer has its own tensor and does nothing with this one, which comes behind the outputs of layers
        that were called before. A layer that hands on what an earlier one made needs no tensor.
        """
        record = self._records[place]
        if any(earlier.statistics == record.statistics for earlier in self._records[:place]):
            return ()
        left = [
            value
            for value in self._free(record)
            if value.scope in self._settled
            and not self._inside[value.scope] >> value.place & 1
            and all(caller < place for source, caller in self._sources if value.made_from >> source & 1)
        ]
        return self._nearest(left, record)

    def _free(self, record: LayerRecord) -> list[Value]:
        same_size = self._by_size[record.statistics.size]
        return [value for value in same_size if self._model.dequantized(value.name) not in self._claimed]

    def _nearest(self, values: Sequence[Value], record: LayerRecord) -> Names:
        ranked = sorted(values, key=lambda value: record.statistics.distance(self._statistics[value.name]))
        return self._names([value.name for value in ranked])

    def _names(self, names: Sequence[str]) -> Names:
        return tuple(dict.fromkeys(self._model.dequantized(name) for name in names))[:CANDIDATES]


def _output(record: LayerRecord) -> str:
    return record.name.partition("[")[2]
