"""A network of made-up layers whose losses add up, for tests of the search."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from edgeconv.conversion.int8.search.result import SearchResult
from edgeconv.conversion.int8.search.searching import search
from edgeconv.conversion.int8.search.settings import LayerSensitivity, Settings
from edgeconv.parity.intervals import Lost

LAYERS = tuple("abcdefghij")


@dataclass
class MadeUpNetwork:
    """Ten layers, each of which loses some points in int8; the menu takes points off all of them together."""

    losses: Mapping[str, float]
    menu: Mapping[Settings, float] = field(default_factory=dict)
    ranked: str = "abcdefghij"
    floor: float = 0.0
    killed_after: int = 10**6
    judged: list[Any] = field(default_factory=list)
    layers = LAYERS
    last_layers = ("j",)
    pairs = True
    rankings = 0

    def quantize(self, settings: Settings, float_layers: Collection[str]) -> Any:
        return SimpleNamespace(model=(settings, frozenset(float_layers)))

    def changes(self, settings: Settings) -> bool:
        return self.pairs or not settings.equalized

    def rank(self, settings: Settings) -> tuple[LayerSensitivity, ...]:
        del settings
        self.rankings += 1
        return tuple(LayerSensitivity(layer, 10.0 + place) for place, layer in enumerate(self.ranked))

    def judge(self, model: Any) -> float:
        if len(self.judged) == self.killed_after:
            raise KeyboardInterrupt
        self.judged.append(model)
        settings, float_layers = model
        lost = sum(loss for layer, loss in self.losses.items() if layer not in float_layers)
        return self.floor + max(0.0, lost - self.menu.get(settings, 0.0))

    def cost(self, model: Any) -> tuple[int, float]:
        return 1000 + 100 * len(model[1]), 50.0 + 7 * len(model[1])

    def search(self, max_drop: float = 0.1, **more: Any) -> SearchResult:
        return search(self, lambda model: Lost.exactly(self.judge(model)), self.cost, max_drop=max_drop, **more)
