"""Makes the candidates of a search out of a prepared float model, calibration samples and a target's scheme."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType

import onnx

from edgeconv.conversion.int8.cache import Cache, key_of
from edgeconv.conversion.int8.feeds import CalibrationFeeds
from edgeconv.conversion.int8.forms.writing import to_blocked
from edgeconv.conversion.int8.measuring import BATCH, VALUES_AT_ONCE, measure
from edgeconv.conversion.int8.quantizing import Prepared, Quantized, quantize
from edgeconv.conversion.int8.ranges import TRAINED, CalibrationStatistics, Ranges, ranges_of
from edgeconv.conversion.int8.rounding.finding import Roundings, find_roundings, with_roundings
from edgeconv.conversion.int8.search.bias_correction import Shifts, find_shifts, with_biases, with_shifts
from edgeconv.conversion.int8.search.channels import measure_channels
from edgeconv.conversion.int8.search.equalization import Equalized, equalize
from edgeconv.conversion.int8.search.ranking import rank
from edgeconv.conversion.int8.search.search_cache import SearchCache
from edgeconv.conversion.int8.search.settings import LayerSensitivity, Settings
from edgeconv.conversion.int8.search.weights import OPERATORS
from edgeconv.conversion.int8.targets import QuantizationScheme
from edgeconv.parity.comparison import Feeds
from edgeconv.progress import SILENT, Progress

SAMPLES_RANKED = 32
"""Samples that the ranking looks at; every element of their answers counts."""

SAMPLES_CORRECTED = 256
"""Samples that means of channels are taken over, each of them over its whole map as well."""

_CHUNK = 8
"""Samples taken in a row where some of all are taken: a folder has its classes one after the other."""


class Candidates:
    """The int8 models of one float model.

    Whatever several candidates need is made once: the measurement, the equalized graph, the ranges.

    Args:
        prepared: the float model.
        feeds: for calibration.
        scheme: of the target.
        trained: the ranges that the model was trained with, of the tensors that have one.
        cache: folder to keep measurements in; None keeps nothing.
        progress: hears what takes long.

    Example:
        >>> candidates = Candidates(prepare(fp32), feeds, scheme_of("x86"))  # doctest: +SKIP
        >>> candidates.quantize(Settings("entropy"), ["conv1"]).model  # doctest: +SKIP
    """

    def __init__(
        self,
        prepared: Prepared,
        feeds: CalibrationFeeds,
        scheme: QuantizationScheme,
        *,
        trained: Ranges = MappingProxyType({}),
        cache: Path | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self._prepared = prepared
        self._feeds = feeds
        self._scheme = scheme
        self._trained = trained
        self._cache = cache
        self._progress = progress
        self._statistics: dict[tuple[bool, bool], CalibrationStatistics] = {}

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """All layers, also those without weights, in the order of the graph."""
        return tuple(dict.fromkeys(map(self._prepared.layer_of, self._prepared.model.graph.node)))

    @cached_property
    def last_layers(self) -> tuple[str, ...]:
        """The dense layers that give the answers."""
        graph = self._prepared.model.graph
        ends, constants = {output.name for output in graph.output}, {tensor.name for tensor in graph.initializer}
        dense = (node for node in graph.node if node.op_type in {"Gemm", "MatMul"} and node.input[1] in constants)
        return tuple(self._prepared.layer_of(node) for node in dense if node.output[0] in ends)

    def search_cache(self, judged_on: str) -> SearchCache:
        """Return where a search among these candidates keeps what it finds out.

        Args:
            judged_on: digest of whatever the judge's answers depend on, such as its samples, and of the release.
        """
        data, facts = self._feeds.record.sha256, {"scheme": self._scheme, "judged_on": judged_on}
        if self._trained:
            facts["trained"] = tuple(sorted(self._trained.items()))
        return SearchCache(self._cache, key_of(self._prepared.digest, data, **facts))

    def changes(self, settings: Settings) -> bool:
        """Whether these settings may make another model than plainer ones.

        Equalization needs pairs of layers, and ranges that are measured behind it.
        """
        return not settings.equalized or (settings.ranges != TRAINED and bool(self.pairs))

    def quantize(self, settings: Settings, float_layers: Collection[str] | Mapping[str, str] = ()) -> Quantized:
        """Return the int8 model of some settings, with some layers left in float, in the form that is shipped."""
        plain = self._quantized(settings, float_layers)
        return in_blocks(plain) if self._scheme.blocks else plain

    def _quantized(self, settings: Settings, float_layers: Collection[str] | Mapping[str, str]) -> Quantized:
        prepared = self._equalized if settings.equalized else self._prepared
        ranges = self._ranges(settings)
        if settings.rounded:
            roundings = self._find_roundings(settings, prepared, ranges, float_layers)
            prepared = replace(prepared, model=with_roundings(prepared.model, roundings))
        if settings.corrected:
            # What a layer shifts depends on those before it: with others in float, the shifts are others.
            shifts = self._find_shifts(settings, prepared, ranges, float_layers)
            prepared = replace(prepared, model=with_shifts(prepared.model, shifts))
        return quantize(prepared, ranges, self._scheme, float_layers=float_layers, method=settings.ranges)

    def rank(self, settings: Settings) -> tuple[LayerSensitivity, ...]:
        """Return the layers with weights by their sensitivity to plain int8, the most sensitive first."""
        plain = replace(settings, corrected=False, rounded=False)

        def only(chosen: str | None) -> onnx.ModelProto:
            return self._quantized(plain, [layer for layer in self.layers if layer != chosen]).model

        return rank(self._prepared.layers, only, lambda: self._some(SAMPLES_RANKED), progress=self._progress)

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of layers that equalization evens out."""
        return self._equalization.pairs

    @cached_property
    def _equalization(self) -> Equalized:
        graph = self._prepared.model.graph
        if not self._scheme.per_channel:
            return equalize(self._prepared.model)
        names = [node.name for node in graph.node if node.op_type in OPERATORS]
        maxima = measure_channels(self._prepared.model, names, self._some(SAMPLES_CORRECTED), "largest")
        return equalize(self._prepared.model, channel_maxima=maxima)

    @cached_property
    def _equalized(self) -> Prepared:
        return replace(self._prepared, model=self._equalization.model)

    def _ranges(self, settings: Settings) -> Ranges:
        histograms = settings.ranges in {"percentile", "entropy"}
        key = (settings.equalized, histograms)
        found = self._statistics.get((settings.equalized, True)) or self._statistics.get(key)
        if found is None:
            prepared = self._equalized if settings.equalized else self._prepared
            found = measure(prepared, self._feeds, histograms=histograms, cache=self._cache, progress=self._progress)
            self._statistics[key] = found
        if settings.ranges == TRAINED:
            return {**ranges_of(found, "minmax", self._scheme), **self._trained}
        return ranges_of(found, settings.ranges, self._scheme)

    def _find_roundings(
        self, settings: Settings, prepared: Prepared, ranges: Ranges, float_layers: Collection[str]
    ) -> Roundings:
        store = self._store(replace(settings, corrected=False), float_layers)
        biased = replace(prepared, model=with_biases(prepared.model))
        int8 = quantize(biased, ranges, self._scheme, float_layers=float_layers, method=settings.ranges).model
        some = partial(self._some, SAMPLES_CORRECTED)
        return find_roundings(biased.model, int8, some, store=store, progress=self._progress)

    def _find_shifts(
        self, settings: Settings, prepared: Prepared, ranges: Ranges, float_layers: Collection[str]
    ) -> Shifts:
        store = self._store(settings, float_layers)
        shifts: Shifts | None = store.load("shifts")
        if shifts is None:
            biased = replace(prepared, model=with_biases(prepared.model))
            int8 = quantize(biased, ranges, self._scheme, float_layers=float_layers, method=settings.ranges).model
            shifts = find_shifts(biased.model, int8, lambda: self._some(SAMPLES_CORRECTED), progress=self._progress)
            store.store("shifts", shifts)
        return shifts

    def _store(self, settings: Settings, float_layers: Collection[str]) -> Cache:
        data, names = self._feeds.record.sha256, tuple(sorted(float_layers))
        facts = {"scheme": self._scheme, "settings": settings, "in_float": names, "images": SAMPLES_CORRECTED}
        if settings.ranges == TRAINED:
            facts["trained"] = tuple(sorted(self._trained.items()))
        return Cache(self._cache, key_of(self._prepared.digest, data, **facts))

    def _some(self, limit: int) -> Iterator[Feeds]:
        return some_of(self._feeds, limit, self._prepared.batch)


def in_blocks(quantized: Quantized) -> Quantized:
    """Return an int8 model with its first convolutions in blocks of columns, where they fit; answers are equal."""
    model = to_blocked(quantized.model)
    if model is quantized.model:
        return quantized
    return replace(quantized, model=model, arguments=replace(quantized.arguments, form="blocks"), plain=quantized.model)


def some_of(feeds: CalibrationFeeds, limit: int, batch: int | None) -> Iterator[Feeds]:
    """Yield some samples, evenly spread over all, in batches.

    Args:
        feeds: all.
        limit: about how many.
        batch: the only batch size that the model takes, or None.
    """
    most = max(1, min(BATCH, VALUES_AT_ONCE // max(1, feeds.values)))
    size = batch or min(_CHUNK, most)
    chunks = max(1, min(-(-limit // size), feeds.count // size))
    for number in range(chunks):
        yield next(feeds.batches(size, start=number * feeds.count // chunks))
