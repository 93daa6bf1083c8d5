"""The search: plain int8 where that keeps the accuracy, else the menu, else the worst layers in float."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import onnx

from edgeconv.conversion.int8.ranges import METHODS, TRAINED
from edgeconv.conversion.int8.search.result import POINTS, LayerCost, SearchResult, Step, change
from edgeconv.conversion.int8.search.search_cache import SearchCache
from edgeconv.conversion.int8.search.settings import Judgement, LayerSensitivity, Settings
from edgeconv.formatting import format_size
from edgeconv.parity.accuracy import within
from edgeconv.parity.intervals import Lost
from edgeconv.progress import SILENT, Progress

Judge = Callable[[onnx.ModelProto], Lost]
"""Returns what a model loses, in percent of what its task is judged by; of accuracy, in percentage points."""

Cost = Callable[[onnx.ModelProto], tuple[int, float | None]]
"""Returns the size of a model's file in bytes, and the median time of one image in microseconds."""

LAST_SAVES, LAST_ADDS = 0.1, 0.01
"""The last layer of values is left in float where that takes a tenth off what is lost, and adds one percent of the
bytes at most; a dense layer has a multiplication for each weight, so it adds no larger share of the time."""

MOST_RETURNS = 16
"""Layers that are tried in int8 again, the least sensitive first: each takes a judgement."""


class CandidateFactory(Protocol):
    """Makes candidates."""

    @property
    def layers(self) -> Sequence[str]:
        """All layers, in the order of the graph."""

    @property
    def last_layers(self) -> Sequence[str]:
        """The dense layers that give the answers."""

    def changes(self, settings: Settings) -> bool:
        """Whether these settings may make another model than plainer ones."""

    def quantize(self, settings: Settings, float_layers: Collection[str] | Mapping[str, str]) -> Any:
        """Return a model and the record of how it was made, as `quantizing.Quantized`."""

    def rank(self, settings: Settings) -> tuple[LayerSensitivity, ...]:
        """Return the layers with weights by their sensitivity to int8, the most sensitive first."""


def search(
    candidates: CandidateFactory,
    judge: Judge,
    cost: Cost,
    *,
    max_drop: float,
    unit: str = POINTS,
    trained: bool = False,
    values: bool = False,
    cache: SearchCache | None = None,
    progress: Progress = SILENT,
) -> SearchResult:
    """Find an int8 model that loses no more than allowed.

    First the ranges that the model was trained with, where it was; else plain MinMax. If that loses too much: all ways
    to find ranges, and on the best of them equalization, bias correction and, if none of these holds, adaptive
    rounding, each kept if it is better. If none holds: the worst layers return to float, as many as it takes, found by
    doubling and then halving the steps; at last each of them is tried in int8 again.

    Equal arguments find the same model: only drops decide. The model chosen was itself evaluated.

    Args:
        candidates: makes them.
        judge: what each loses.
        cost: what each weighs and how long it takes, for the report.
        max_drop: what it may lose.
        unit: of that, for people.
        trained: the model was trained with ranges.
        values: the answers are numbers, whose 256 steps show: the last layer is tried in float too.
        cache: what an earlier, unfinished search found out.
        progress: hears a line for each step.

    Returns:
        All steps, the settings and float layers chosen; `holds` is False where not even float layers keep enough.
    """
    first = Settings(TRAINED) if trained else Settings()
    found = _Search(candidates, judge, cost, max_drop, unit, cache or SearchCache(None, ""), progress)
    return found.run(first, values=values)


class _Search:
    def __init__(
        self,
        candidates: CandidateFactory,
        judge: Judge,
        cost: Cost,
        max_drop: float,
        unit: str,
        cache: SearchCache,
        progress: Progress,
    ) -> None:
        self._candidates = candidates
        self._judge = judge
        self._cost = cost
        self._max_drop = max_drop
        self._unit = unit
        self._cache = cache
        self._progress = progress
        self._steps: list[Step] = []

    def run(self, first: Settings, *, values: bool) -> SearchResult:
        best = self._from_menu(first)
        if best.holds:
            best, layers = self._with_last_in_float(best) if values else (best, ())
            return self._result(best, (), layers)
        ranking = self._cache.ranking(best.settings)
        if ranking is None:
            ranking = self._candidates.rank(best.settings)
            self._cache.keep_ranking(best.settings, ranking)
        fewest = self._with_fewest_float_layers(best.settings, ranking)
        if fewest is None:
            best = min(self._steps, key=lambda step: step.judgement.drop)
            layers = tuple(self._layer_cost(layer, ranking, None, None) for layer in best.float_layers)
        else:
            best, layers = self._with_layers_back(fewest, ranking)
        return self._result(best, ranking, layers)

    def _result(
        self, chosen: Step, ranking: tuple[LayerSensitivity, ...], layers: tuple[LayerCost, ...]
    ) -> SearchResult:
        found = SearchResult(self._max_drop, tuple(self._steps), chosen, ranking, layers, self._unit)
        if doubt := chosen.judgement.lost.sentence(self._max_drop):
            self._progress.say(f"{doubt}.")
        return found

    def _from_menu(self, first: Settings) -> Step:
        """Return the first settings if they hold, else the best of the menu; of equals, the plainer one."""
        best = self._try("ranges", first)
        # What the sample cannot tell from the limit is taken only where nothing that costs no time is better.
        if within(best.judgement.drop, self._max_drop):
            return best
        for method in METHODS:
            if method != first.ranges:
                best = _better(best, self._try("ranges", Settings(method)))
        equalized = replace(best.settings, equalized=True)
        if self._candidates.changes(equalized):
            best = _better(best, self._try("equalization", equalized))
        best = _better(best, self._try("bias correction", replace(best.settings, corrected=True)))
        if best.holds:
            return best
        return _better(best, self._try("adaptive rounding", replace(best.settings, rounded=True)))

    def _with_fewest_float_layers(self, settings: Settings, ranking: Sequence[LayerSensitivity]) -> Step | None:
        """Return the step with the fewest of the worst layers in float that holds; None where none does."""
        ranked = [entry.layer for entry in ranking]
        order = [*ranked, *(layer for layer in self._candidates.layers if layer not in ranked)]
        failing, count = 0, 1
        while not (step := self._try("layers in float", settings, order[:count])).holds:
            if count >= len(order):
                return None
            failing, count = count, min(2 * count, len(order))
        found = step
        while count - failing > 1:
            middle = (failing + count) // 2
            step = self._try("layers in float", settings, order[:middle])
            if step.holds:
                found, count = step, middle
            else:
                failing = middle
        return found

    def _with_last_in_float(self, int8: Step) -> tuple[Step, tuple[LayerCost, ...]]:
        """Try the last layers in float; return the step left, and what they cost."""
        last = self._candidates.last_layers
        if not last or int8.judgement.drop <= 0.0:
            return int8, ()
        found = self._try("last layer in float", int8.settings, last)
        saved = int8.judgement.drop - found.judgement.drop
        added = found.judgement.size_bytes - int8.judgement.size_bytes
        pays = saved >= LAST_SAVES * int8.judgement.drop and added <= LAST_ADDS * int8.judgement.size_bytes
        self._progress.say(
            f"The last layer, {', '.join(last)}, {'is left in float' if pays else 'is int8'}: "
            f"float saves {saved + 0.0:.2g} of {int8.judgement.drop:.2g} {self._unit} for {added:+,} bytes"
        )
        if not pays:
            return int8, ()
        costs = [self._layer_cost(layer, (), found.judgement, int8.judgement) for layer in last]
        shared = [LayerCost(layer, None, None, None, None) for layer in last]  # Of several, nobody knows each one's.
        return found, tuple(costs if len(costs) == 1 else shared)

    def _with_layers_back(self, found: Step, ranking: Sequence[LayerSensitivity]) -> tuple[Step, tuple[LayerCost, ...]]:
        """Try layers in int8 again, the least sensitive first; return the step left, and what its layers cost."""
        costs: dict[str, LayerCost] = {}
        for layer in reversed(found.float_layers[-MOST_RETURNS:]):
            rest = [other for other in found.float_layers if other != layer]
            without = self._try("back to int8", found.settings, rest, returned=layer)
            if without.holds:
                found = without
            else:
                costs[layer] = self._layer_cost(layer, ranking, found.judgement, without.judgement)
        untried = (layer for layer in found.float_layers if layer not in costs)
        costs |= {layer: self._layer_cost(layer, ranking, None, None) for layer in untried}
        return found, tuple(costs[layer] for layer in found.float_layers)

    def _layer_cost(
        self, layer: str, ranking: Sequence[LayerSensitivity], in_float: Judgement | None, in_int8: Judgement | None
    ) -> LayerCost:
        sqnr_db = next((entry.sqnr_db for entry in ranking if entry.layer == layer), None)
        if in_float is None or in_int8 is None:
            return LayerCost(layer, sqnr_db, None, None, None)
        timed = in_float.latency_us is not None and in_int8.latency_us is not None
        return LayerCost(
            layer,
            sqnr_db,
            in_int8.drop - in_float.drop,
            in_float.size_bytes - in_int8.size_bytes,
            (in_float.latency_us or 0.0) - (in_int8.latency_us or 0.0) if timed else None,
        )

    def _try(
        self, aim: str, settings: Settings, float_layers: Sequence[str] = (), *, returned: str | None = None
    ) -> Step:
        judgement = self._cache.judgement(settings, float_layers)
        if judgement is None:
            known = (
                step for step in self._steps if (step.settings, set(step.float_layers)) == (settings, {*float_layers})
            )
            earlier = next(known, None)
            judgement = earlier.judgement if earlier is not None else self._judged(settings, float_layers)
            self._cache.keep_judgement(settings, float_layers, judgement)
        holds = judgement.lost.holds(self._max_drop)
        step = Step(aim, settings, tuple(float_layers), judgement, holds, returned)
        self._steps.append(step)
        time = "" if judgement.latency_us is None else f", {judgement.latency_us:,.0f} us"
        self._progress.say(
            f"int8, {step.what}: {change(judgement.drop, self._unit, self._max_drop)}, "
            f"{format_size(judgement.size_bytes)}{time}"
        )
        return step

    def _judged(self, settings: Settings, float_layers: Sequence[str]) -> Judgement:
        model = self._candidates.quantize(settings, float_layers).model
        lost, (size_bytes, latency_us) = self._judge(model), self._cost(model)
        return Judgement(lost.percent, size_bytes, latency_us, lost.low, lost.high, lost.samples)


def _better(best: Step, other: Step) -> Step:
    return best if within(best.judgement.drop, other.judgement.drop) else other
