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
from edgeconv.runtime.differences import LARGEST_SHARE, cell_of, difference, most_far, share_beyond
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

Array = NDArray[Any]


@dataclass(frozen=True)
class Tolerance:
    """By how much the numbers of one output may differ, and why.

    Attributes:
        output: its name.
        limit: largest difference, in its unit.
        unit: of the limit.
        reason: for the limit.
        spared: share of the cells that may differ by more.
        cell: how many numbers of the last axis a cell has.
    """

    output: str
    limit: float
    unit: str
    reason: str
    spared: float = 0.0
    cell: int = 1

    def as_dict(self) -> dict[str, Any]:
        """Return the tolerance as a JSON object, without the output's name."""
        spared = {"spared": self.spared, "cell": self.cell} if self.spared else {}
        return {"limit": self.limit, **spared, "unit": self.unit, "reason": self.reason}

    @property
    def words(self) -> str:
        """The tolerance for people.

        Example:
            >>> Tolerance("prepared", 1.0, "grey levels", "").words
            '1 in `prepared`'
        """
        return f"{self.limit:.3g} in `{self.output}`{_but(self.spared)}"


def _but(share: float) -> str:
    return f" but for {_cells(share)}" if share else ""


def _cells(share: float) -> str:
    return f"{100 * share:.2g} % of its cells"


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
    answered = [_answers(interface, number, sample, session, path) for number, sample in enumerate(samples)]

    def pairs(place: int) -> list[tuple[Array, Array]]:
        return [(given[place], sample.outputs[place]) for given, sample in zip(answered, samples, strict=True)]

    return tuple(_tolerance(interface, manifest, place, pairs(place), path) for place in range(len(names)))


def _answers(
    interface: BundleInterface, number: int, sample: SelftestSample, session: Any, path: object
) -> Sequence[Array]:
    """Return what a session answers to a sample: of a picture, to what its preparation should make of it."""
    names, feeds = ([array.name for array in arrays] for arrays in (interface.outputs, interface.inputs))
    answers: Sequence[Array] = run_native(session, names, dict(zip(feeds, sample.inputs, strict=True)))
    if interface.preparation is None or not (off := difference(answers[-1], sample.outputs[-1])):
        return answers
    if off > PREPARED_LIMIT:
        raise UnsupportedModelError(
            f"`{path}` must prepare pictures in ONNX as in Python, within {PREPARED_LIMIT:g} grey level. "
            f"Received: {off:g} on golden picture {number}. Report it with the artifact."
        )
    fed: Sequence[Array] = run_native(session, names, {feeds[0]: sample.outputs[-1][0]})
    return fed


def _tolerance(
    interface: BundleInterface, manifest: Manifest, place: int, pairs: Sequence[tuple[Array, Array]], path: object
) -> Tolerance:
    """Return the tolerance of an output, of what it answers to each sample and should."""
    output = interface.outputs[place]
    if interface.preparation is not None and place == len(interface.outputs) - 1:
        reason = "a float halfway between two bytes may be rounded to either of them"
        return Tolerance(output.name, PREPARED_LIMIT, "grey levels", reason)
    numbers = np.concatenate([wanted.ravel() for _, wanted in pairs]).astype(np.float64)
    if place == 0 and _gives_probabilities(interface, manifest):
        size, most, unit = min(1.0, 2 * float(numbers.max(initial=-np.inf))), LARGEST_SHARE, "probability"
    else:
        size = float(np.ptp(numbers)) if numbers.size else 0.0
        most, unit = LARGEST_SHARE * size, "of the output"
    cell = cell_of(output.dtype, output.shape)
    far, may_be_far = max(share_beyond(*pair, most, cell) for pair in pairs), most_far(manifest.task, output.shape)
    if far > may_be_far:
        of = "a probability" if unit == "probability" else "its spread"
        received = f"a difference of {max(difference(*pair) for pair in pairs):.2g}"
        raise UnsupportedModelError(
            f"`{path}` must answer golden vectors as its fp32 does, `{output.name}` within {LARGEST_SHARE:g} of {of}"
            f"{_but(may_be_far)}. Received: {received}{f', in {_cells(far)}' * bool(may_be_far)}. "
            "Bundle `--variant fp32`, or quantize it again."
        )
    largest = max(difference(*pair, cell, 2 * far) for pair in pairs)
    reason = (
        f"twice the largest difference from the fp32 reference measured when this bundle was made, at least "
        f"{LEAST_SHARE:g} of the range of the answers: processors round otherwise"
    )
    if far:
        reason += f"; and twice the share of cells that differed by more than {LARGEST_SHARE:g} of it"
    return Tolerance(output.name, max(LEAST_SHARE * size, 2 * largest), unit, reason, 2 * far, cell)


def _gives_probabilities(interface: BundleInterface, manifest: Manifest) -> bool:
    """Tell whether the first output holds probabilities; where a picture goes in, nothing is pending of them."""
    pending = interface.preparation is not None and (manifest.is_classifier or manifest.output.pending is not None)
    return pending or manifest.output.value_range == (0.0, 1.0)
