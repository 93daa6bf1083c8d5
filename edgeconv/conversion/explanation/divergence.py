"""The first Keras layer whose output a file gets wrong, by bisection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.explanation.comparing import TensorComparison, compare_as_it_is
from edgeconv.conversion.explanation.matching import Match, match_layers, settle
from edgeconv.conversion.explanation.recording import layer_order, outputs_of
from edgeconv.conversion.explanation.tapping import TappedModel
from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.parity.comparison import Feeds


class Reference(Protocol):
    """A Keras model and how to run it."""

    @property
    def model(self) -> Any:
        """The Keras model."""

    def run(self, feeds: Feeds) -> Mapping[str, NDArray[Any]]:
        """Return the answers by output, to arrays by input of the exported file; operator by operator."""


@dataclass(frozen=True)
class Divergence:
    """A layer whose output differs from Keras, though those it is made from do not.

    Attributes:
        layer: its path in the model; ``#2`` after it in the second call of a shared layer.
        class_name: of the layer; empty where the difference lies behind the last layer.
        max_error: largest difference of an element.
        spread: largest minus smallest element in Keras.
        value: name of the tensor in the ONNX graph.
        folded: layers called directly before it that have no tensor of their own: the difference may be theirs.
    """

    layer: str
    class_name: str
    max_error: float
    spread: float
    value: str
    folded: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Say it in one line, without a full stop.

        Example:
            "the first layer that differs is `conv2` (Conv2D): by 0.31, 12 % of the spread of its output"
        """
        kind = f" ({self.class_name})" if self.class_name else ""
        inside = f", with {', '.join(f'`{name}`' for name in self.folded)} folded into it" if self.folded else ""
        share = f"{self.max_error / self.spread:.2g} of the spread" if np.isfinite(self.max_error) else "not a number"
        return (
            f"the first layer that differs is `{self.layer}`{kind}{inside}: "
            f"by {self.max_error:.3g}, {share} of its output"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def first_divergence(
    reference: Reference, feeds: Feeds, model: onnx.ModelProto, *, tolerance: float
) -> Divergence | None:
    """Find the first layer whose output differs; holds the output of one layer at a time.

    Of all layers that the wrong answer depends on, the one in the middle is looked at; where it agrees, what it
    depends on is taken to agree, too, and where it differs, what does not lead to it is left out.

    Args:
        reference: the Keras model.
        feeds: arrays by input of the file, all of one batch size.
        model: the file, fp32 or another variant.
        tolerance: share of the spread of a layer's output that it may differ by.

    Returns:
        The layer, or None where all answers agree without the optimisations of ONNX Runtime.
    """
    tapped = TappedModel(model, feeds)
    wrong = _wrong_answer(reference, tapped, feeds, tolerance)
    if wrong is None:
        return None
    records = layer_order(reference.model, lambda: reference.run(feeds))
    matches = match_layers(records, tapped, near=min(max(1e-3, 5 * tolerance), 0.25))
    bisection = _Bisection(reference, tapped, feeds, tolerance, matches)
    found = bisection.first_behind(wrong[0])
    if found is not None:
        match, value, comparison = found
        record = match.record
        return Divergence(
            record.name, record.class_name, comparison.max_error, comparison.spread, value, bisection.folded_into(match)
        )
    # All layers agree: the difference lies between the last of them and the answer.
    scope = next((layer_of_named(node.name) for node in model.graph.node if wrong[0] in node.output), None)
    return Divergence(scope or wrong[0], "", wrong[1].max_error, wrong[1].spread, wrong[0])


def _wrong_answer(
    reference: Reference, tapped: TappedModel, feeds: Feeds, tolerance: float
) -> tuple[str, TensorComparison] | None:
    expected, received = reference.run(feeds), tapped.fetch(tapped.outputs)
    for name, answer in expected.items():
        comparison = compare_as_it_is(answer, received[name])
        if not comparison.share <= tolerance:
            return name, comparison
    return None


_Found = tuple[Match, str, TensorComparison]


class _Bisection:
    """The search among the layers that have a tensor."""

    def __init__(
        self, reference: Reference, tapped: TappedModel, feeds: Feeds, tolerance: float, matches: tuple[Match, ...]
    ) -> None:
        self._reference = reference
        self._tapped = tapped
        self._feeds = feeds
        self._tolerance = tolerance
        self._all = matches
        self._matches = [match for match in matches if match.candidates]
        self._behind = [self._made_from(match) for match in self._matches]

    def first_behind(self, output: str) -> _Found | None:
        """Return the layer that differs while what it is made from agrees, among those `output` is made from."""
        found: _Found | None = None
        value = self._tapped.values.get(output)
        suspects = set() if value is None else self._those_in(value.made_from | 1 << value.place)
        while suspects:
            leading = {place: self._leading_to(place) & suspects for place in suspects}
            middle = min(suspects, key=lambda place: (abs(len(suspects) - 1 - 2 * len(leading[place])), place))
            looked = self._look(self._matches[middle])
            if looked is None:
                suspects = suspects - {middle}
            elif looked[2].share <= self._tolerance:
                suspects = suspects - leading[middle] - {middle}
            else:
                found, suspects = looked, leading[middle] - {middle}
        return found

    def folded_into(self, match: Match) -> tuple[str, ...]:
        """Return the layers called directly before one that have no tensor of their own."""
        folded: list[str] = []
        for before in reversed(self._all[: self._all.index(match)]):
            if before.candidates and self._look(before) is not None:
                break
            folded.insert(0, before.record.name)
        return tuple(folded)

    def _look(self, match: Match) -> _Found | None:
        """Compare a layer's output; None where the tensor is not in the graph after all."""
        name = match.record.name
        expected = outputs_of(self._reference.model, lambda: self._reference.run(self._feeds), [name])[name]
        arrays = self._tapped.fetch(match.candidates)
        nearest = settle(match, expected, arrays, self._tapped, limit=self._tolerance)
        return None if nearest is None else (match, *nearest)

    def _made_from(self, match: Match) -> int:
        value = self._tapped.values[match.candidates[0]]
        return value.made_from | 1 << value.place

    def _leading_to(self, place: int) -> set[int]:
        return self._those_in(self._behind[place])

    def _those_in(self, bits: int) -> set[int]:
        values = self._tapped.values
        return {place for place, match in enumerate(self._matches) if bits >> values[match.candidates[0]].place & 1}
