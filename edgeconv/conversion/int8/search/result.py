"""What a search found: every candidate with its costs, and the one that was chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edgeconv.conversion.int8.search.settings import Judgement, LayerSensitivity, Settings
from edgeconv.parity.accuracy import unit_of
from edgeconv.tasks import CLASSES

POINTS = unit_of(CLASSES)

MOST_NAMED = 8
"""Layers that a sentence names; the ledger has all."""


def change(drop: float, unit: str, allowed: float) -> str:
    """Say what int8 loses of what it may lose, or gains.

    Example:
        >>> change(0.1, "points", 0.2), change(-0.03, "points", 0.2)
        ('loses 0.10 points of the 0.2 allowed', 'gains 0.03 points')
    """
    amount = f"{abs(drop):.2f} {unit}"
    return f"gains {amount}" if round(drop, 2) < 0 else f"loses {amount} of the {allowed:g} allowed"


@dataclass(frozen=True)
class Step:
    """One candidate.

    Attributes:
        aim: why it was tried: ``"ranges"``, ``"equalization"``, ``"bias correction"``,
            ``"adaptive rounding"``, ``"layers in float"``, ``"back to int8"``.
        settings: how it was made.
        float_layers: its layers in float.
        judgement: what it costs.
        holds: whether it loses no more than allowed, as far as the sample can tell.
        returned: the layer that was tried in int8 again, or None.
    """

    aim: str
    settings: Settings
    float_layers: tuple[str, ...]
    judgement: Judgement
    holds: bool
    returned: str | None = None

    @property
    def what(self) -> str:
        """Say in words what was tried.

        Example:
            "entropy, 3 layers in float"
        """
        if self.returned is not None:
            return f"`{self.returned}` back in int8"
        count = len(self.float_layers)
        return f"{self.settings}, {count} layer{'s' * (count != 1)} in float" if count else str(self.settings)

    def as_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        facts = {"what": self.what, "aim": self.aim, "settings": self.settings.as_dict()}
        layers = {"float_layers": list(self.float_layers), "returned": self.returned}
        return {**facts, **layers, **asdict(self.judgement), "holds": self.holds}


@dataclass(frozen=True)
class LayerCost:
    """What it takes to keep a layer in float, and what that saves; against the same model with the layer in int8.

    Attributes:
        layer: its name.
        sqnr_db: of the answers where it alone is int8, in dB; None where it makes no difference, or has no weights.
        drop_saved: what int8 in this layer would lose more, in the unit of the search.
        bytes_added: size of the file.
        us_added: median time of one image, in microseconds.
        The last three are None where the model without it was not tried.
    """

    layer: str
    sqnr_db: float | None
    drop_saved: float | None
    bytes_added: int | None
    us_added: float | None

    def words(self, unit: str) -> str:
        """Name the layer, and what it costs as far as that is known."""
        if self.drop_saved is None or self.bytes_added is None:
            return self.layer
        time = "" if self.us_added is None else f", {self.us_added:+,.0f} us"
        return f"{self.layer} ({self.bytes_added:+,} bytes{time}, saves {self.drop_saved:.2f} {unit})"


@dataclass(frozen=True)
class SearchResult:
    """The search for int8 settings.

    Attributes:
        max_drop: what int8 may lose, in `unit`.
        steps: every candidate, in the order tried; the first is plain MinMax.
        chosen: the step whose model is taken: one that holds, or that loses least where none does.
        ranking: layers by their sensitivity to int8, the most sensitive first; empty where it was not needed.
        layers: what each layer left in float costs, the worst first.
        unit: of what is lost, for people.
        fp32: the bytes of that file, and its median time of one sample in microseconds, where they are known.
    """

    max_drop: float
    steps: tuple[Step, ...]
    chosen: Step
    ranking: tuple[LayerSensitivity, ...]
    layers: tuple[LayerCost, ...]
    unit: str = POINTS
    fp32: tuple[int, float | None] | None = None

    @property
    def warning(self) -> str:
        """Say why int8 may not be worth it: it is not smaller than fp32, or not faster; else nothing."""
        if self.fp32 is None:
            return ""
        (size, latency_us), judged = self.fp32, self.chosen.judgement
        worse = []
        if judged.size_bytes >= size:
            worse.append(f"smaller than fp32, {judged.size_bytes:,} bytes beside {size:,}")
        if latency_us is not None and judged.latency_us is not None and judged.latency_us >= latency_us:
            worse.append(f"faster here, {judged.latency_us:,.0f} us beside {latency_us:,.0f}")
        if not worse:
            return ""
        return f"int8 is not {', and not '.join(worse)}. {self._cause}"

    @property
    def _cause(self) -> str:
        """Say which layers are in float, what each costs, and what plain int8 would lose."""
        plain = self.steps[0].judgement
        if not self.layers:
            return "No layer was left in float to keep accuracy: the network is small, or its operators have no int8."
        named = ", ".join(cost.words(self.unit) for cost in self.layers[:MOST_NAMED])
        more = len(self.layers) - MOST_NAMED
        allowing = math.ceil(100 * plain.drop) / 100  # Rounded up: what the advice names must be enough.
        count = "1 layer is" if len(self.layers) == 1 else f"{len(self.layers)} layers are"
        return (
            f"{count} in float: {named}{f' and {more} more' * (more > 0)}. Plain int8 would lose {plain.drop:.2f} "
            f"{self.unit} with {plain.size_bytes:,} bytes: `--max-drop {allowing:g}` allows it."
        )

    @property
    def settings(self) -> Settings:
        """How the chosen model is made."""
        return self.chosen.settings

    @property
    def float_layers(self) -> Mapping[str, str]:
        """Its layers in float, each with the reason; as `quantizing.quantize` takes them."""
        return {cost.layer: _reason(cost, self.unit) for cost in self.layers}

    @property
    def holds(self) -> bool:
        """Whether the chosen model loses no more than allowed; where it does, no float layers help."""
        return self.chosen.holds

    @property
    def sentence(self) -> str:
        """Say in one sentence what came of it."""
        tried = f"{len(self.steps)} candidate{'s' * (len(self.steps) != 1)}"
        changed = change(self.chosen.judgement.drop, self.unit, self.max_drop)
        if not self.holds:
            kept = "the accuracy" if self.unit == POINTS else "enough"
            return f"None of {tried} keeps {kept}; the best, {self.chosen.what}, {changed}."
        doubt = self.chosen.judgement.lost.sentence(self.max_drop)
        return f"{self.chosen.what} was chosen of {tried}: it {changed}{'. ' * bool(doubt)}{doubt}."

    def as_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "sentence": self.sentence,
            "max_drop": self.max_drop,
            "unit": self.unit,
            **({"warning": self.warning} if self.warning else {}),
            "holds": self.holds,
            "chosen": self.steps.index(self.chosen),
            "steps": [step.as_dict() for step in self.steps],
            "ranking": [asdict(entry) for entry in self.ranking],
            "layers": [asdict(cost) for cost in self.layers],
        }


def _reason(cost: LayerCost, unit: str) -> str:
    """Say why a layer is left in float; without its time, which must not enter a file that is to be equal again."""
    if cost.drop_saved is not None:
        return f"left in float to keep accuracy: int8 would lose {cost.drop_saved:.2f} {unit} more"
    return "left in float to keep accuracy"
