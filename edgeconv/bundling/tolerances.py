"""How far an app's answers may be from the reference's: measured here, by running the self-test when it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.bundling.interface import BundleInterface
from edgeconv.bundling.selftest import SelftestSample
from edgeconv.errors import ArtifactError, UnsupportedModelError
from edgeconv.manifest import Manifest
from edgeconv.runtime.session import run_native

PREPARED_LIMIT = 1.0
"""Grey levels. A float halfway between two bytes may be rounded to either of them, by the order of a sum."""

LEAST_SHARE = 0.02
"""Of the range of an output. Another processor may round int8 steps otherwise, and a prepared picture may be a grey
level off here and there.

The range of probabilities is 1 where answers are sure. Where not even the likeliest class of any sample has a
probability of a half, as among a thousand classes, it is less in proportion: a limit above all probabilities would let
everything pass. The range of other outputs is the spread of what the reference answers to all samples.
"""

LARGEST_SHARE = 0.2
"""Of the range of an output: the largest difference from the fp32 reference; twice as much as a limit would let another
answer pass."""


@dataclass(frozen=True)
class Tolerance:
    """By how much the numbers of one output may differ, in its unit, and why."""

    output: str
    limit: float
    unit: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the tolerance as a JSON object, without the output's name."""
        return {"limit": self.limit, "unit": self.unit, "reason": self.reason}

    @property
    def words(self) -> str:
        """The tolerance for people.

        Example:
            >>> Tolerance("prepared", 1.0, "grey levels", "").words
            '1 in `prepared`'
        """
        return f"{self.limit:.3g} in `{self.output}`"


def measure_tolerances(
    interface: BundleInterface, manifest: Manifest, samples: Sequence[SelftestSample], session: Any, path: object
) -> tuple[Tolerance, ...]:
    """Run the self-test here, and allow devices twice the differences that it shows.

    Args:
        interface: of the bundle.
        manifest: of the artifact.
        samples: of the self-test.
        session: ONNX Runtime's, of the file that the bundle's program runs.
        path: what the errors call the artifact.

    Raises:
        ArtifactError: the file takes or gives other arrays than its contract says.
        UnsupportedModelError: the model prepares pictures otherwise than Python, or answers otherwise than its fp32.
    """
    names = [array.name for array in interface.outputs]
    feeds = [array.name for array in interface.inputs]
    if samples and (len(feeds), len(names)) != (len(samples[0].inputs), len(samples[0].outputs)):
        raise ArtifactError(
            f"`{path}` must take and give the arrays of its contract. Received: {', '.join(feeds)} and "
            f"{', '.join(names)}. Export the model again."
        )
    largest = [0.0] * len(names)
    for number, sample in enumerate(samples):
        answers = run_native(session, names, dict(zip(feeds, sample.inputs, strict=True)))
        off = [difference(answer, wanted) for answer, wanted in zip(answers, sample.outputs, strict=True)]
        if interface.preparation is not None and off[-1] > 0:
            if off[-1] > PREPARED_LIMIT:
                raise UnsupportedModelError(
                    f"`{path}` must prepare pictures in ONNX as in Python, within {PREPARED_LIMIT:g} grey level. "
                    f"Received: {off[-1]:g} on golden picture {number}. Report it with the artifact."
                )
            answers = run_native(session, names, {feeds[0]: sample.outputs[-1][0]})
            off = [difference(answer, wanted) for answer, wanted in zip(answers, sample.outputs, strict=True)]
        largest = [max(pair) for pair in zip(largest, off, strict=True)]
    return tuple(
        _tolerance(interface, manifest, place, [sample.outputs[place] for sample in samples], largest[place], path)
        for place in range(len(names))
    )


def difference(received: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Return the largest difference of two arrays; infinite where one has no number."""
    alike = received == wanted
    with np.errstate(invalid="ignore"):
        off = np.where(alike, 0.0, np.abs(received.astype(np.float64) - wanted.astype(np.float64)))
    return float(np.nan_to_num(off, nan=np.inf).max(initial=0.0))


def _tolerance(
    interface: BundleInterface,
    manifest: Manifest,
    place: int,
    wanted: Sequence[NDArray[Any]],
    largest: float,
    path: object,
) -> Tolerance:
    name = interface.outputs[place].name
    if interface.preparation is not None and place == len(interface.outputs) - 1:
        reason = "a float halfway between two bytes may be rounded to either of them"
        return Tolerance(name, PREPARED_LIMIT, "grey levels", reason)
    numbers = np.concatenate([array.ravel() for array in wanted]).astype(np.float64)
    highest = float(numbers.max(initial=-np.inf))
    if place == 0 and _gives_probabilities(interface, manifest):
        size, most, unit, what = min(1.0, 2 * highest), LARGEST_SHARE, "probability", "a probability"
    else:
        size = float(np.ptp(numbers)) if numbers.size else 0.0
        most, unit, what = LARGEST_SHARE * size, "of the output", "its spread"
    if not largest <= most:
        raise UnsupportedModelError(
            f"`{path}` must answer golden vectors as its fp32 does, `{name}` within {LARGEST_SHARE:g} of {what}. "
            f"Received: a difference of {largest:.2g}. Bundle `--variant fp32`, or quantize it again."
        )
    reason = (
        f"twice the largest difference from the fp32 reference measured when this bundle was made, at least "
        f"{LEAST_SHARE:g} of the range of the answers: processors round otherwise"
    )
    return Tolerance(name, max(LEAST_SHARE * size, 2 * largest), unit, reason)


def _gives_probabilities(interface: BundleInterface, manifest: Manifest) -> bool:
    """Tell whether the first output holds probabilities; where a picture goes in, nothing is pending of them."""
    pending = interface.preparation is not None and (manifest.is_classifier or manifest.output.pending is not None)
    return pending or manifest.output.value_range == (0.0, 1.0)
