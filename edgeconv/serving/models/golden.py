"""Whether a model that was opened reproduces its golden vectors, and how long a call of it takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ArtifactError, InferenceError
from edgeconv.manifest import ArraySpec
from edgeconv.runtime.activation import activated
from edgeconv.runtime.differences import LARGEST_SHARE, cell_of, difference, most_far, share_beyond
from edgeconv.runtime.embedded import INPUT as PICTURE
from edgeconv.runtime.golden import golden_arrays
from edgeconv.serving.models.served_model import ServedModel
from edgeconv.tasks import BOXES

MOST_FLIPS = 0.1
"""Share of the golden vectors to which a verified variant may give another label than Keras: gates allow fractions of a
percent over a test split; arithmetic that goes wrong spoils far more."""

ROWS_TOGETHER = 4
SAME = 0.01
"""Rows of a batch that are compared with themselves alone, and the share of an output's spread by which they may
differ: a batch sums in another order, and int8 may round a step otherwise."""

CALLS = 15
"""Calls that are timed; the first few, which plan memory, are not among them."""

_OTHER_AXES = 8
"""Size of an axis that the contract leaves open, where there are no golden vectors to take it from."""


def reproduce(model: ServedModel) -> float:
    """Run a model on its golden vectors, and return how long a call with one row takes, in seconds.

    They also show whether the rows of a batch are answered each by itself; see `ServedModel.merges`. A model without
    golden vectors is run on zeros: that it answers is all that can be known of it.

    Raises:
        InferenceError: it answers otherwise than Keras did, or not at all.
    """
    if model.samples is None:
        return _time(model, {name: _zeros(model, spec) for name, spec in model.inputs.items()})
    contract = model.contract
    inputs = [spec.name for spec in (contract.input, *contract.more_inputs)]
    samples = golden_arrays(model.samples, inputs, [spec.name for spec in (contract.output, *contract.more_outputs)])
    count = len(next(iter(samples.inputs.values())))
    size = 1 if model.batched or model.embedded else _fixed_batch(model)
    rows = [_row(model, samples.inputs, slice(start, start + size)) for start in range(0, count - size + 1, size)]
    if not rows:
        raise ArtifactError(f"`{model.name}` requires golden vectors for a batch of {size}. Received: {count}.")
    answers = [model.run(row) for row in rows]
    for name, expected in zip(model.outputs, samples.outputs.values(), strict=True):
        received = np.concatenate([np.atleast_1d(answer[name]) for answer in answers])
        _compare(model, name, received, expected[: len(received)])
    if model.batched:
        model.merges = _rows_are_apart(model, samples.inputs, answers)
    return _time(model, rows[0])


def _rows_are_apart(
    model: ServedModel, inputs: Mapping[str, NDArray[Any]], alone: Sequence[Mapping[str, NDArray[Any]]]
) -> bool:
    """Tell whether a batch is answered as its rows are alone."""
    together = model.run({name: array[:ROWS_TOGETHER] for name, array in inputs.items()})
    for name, received in together.items():
        expected = np.concatenate([answer[name] for answer in alone[: len(received)]]).astype(np.float64)
        if expected.shape != received.shape or np.abs(received - expected).max(initial=0.0) > SAME * np.ptp(expected):
            return False
    return True


def _row(model: ServedModel, arrays: Mapping[str, NDArray[Any]], rows: slice) -> dict[str, NDArray[Any]]:
    """Return some golden vectors; a picture that is prepared already is one that the preparation leaves as it is."""
    if model.embedded:
        return {PICTURE: next(iter(arrays.values()))[rows.start]}
    return {name: array[rows] for name, array in arrays.items()}


def _fixed_batch(model: ServedModel) -> int:
    size = model.manifest.input.shape[0]
    return size if isinstance(size, int) else 1


def _compare(model: ServedModel, name: str, received: NDArray[Any], expected: NDArray[Any]) -> None:
    """Raise InferenceError where an output is not what Keras answered."""
    if not np.isfinite(received).all():
        raise InferenceError(f"`{name}` must be finite on golden vectors. Received: NaN or infinity. Export it again.")
    if model.manifest.task == BOXES:  # int8 may find another box among its hundreds: their rows are not comparable.
        return
    if received.shape != expected.shape:
        raise InferenceError(f"`{name}` must be {expected.shape}. Received: {received.shape}. Export the model again.")
    if model.manifest.is_classifier:
        flips = int(np.count_nonzero(received.argmax(axis=-1) != expected.argmax(axis=-1)))
        if flips > max(1, MOST_FLIPS * len(expected)):
            raise InferenceError(
                f"`{model.name}` must reproduce its golden vectors. Received: {flips} of {len(expected)} other labels. "
                "Export it again, or serve another variant."
            )
        return
    if model.embedded and name == model.manifest.output.name:
        expected = activated(model.contract, expected)
    spread = float(np.ptp(expected.astype(np.float64))) or 1.0
    far = share_beyond(received, expected, LARGEST_SHARE * spread, cell_of(expected.dtype.name, expected.shape))
    if far > most_far(model.manifest.task, expected.shape):
        raise InferenceError(
            f"`{model.name}` must reproduce its golden vectors. Received: `{name}` is off by "
            f"{difference(received, expected) / spread:.0%} of its spread. Export it again, or serve another variant."
        )


def _time(model: ServedModel, arrays: Mapping[str, NDArray[Any]]) -> float:
    times = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        model.run(arrays)
        times.append(time.perf_counter() - begin)
        if sum(times) > 1.0:
            break
    return statistics.median(times[len(times) // 3 :])


def _zeros(model: ServedModel, spec: ArraySpec) -> NDArray[Any]:
    if model.embedded and model.manifest.preprocess is not None:
        fed = model.manifest.preprocess
        return np.zeros((fed.height, fed.width, fed.channels), np.uint8)
    sizes = [1 if place == 0 else _OTHER_AXES for place in range(len(spec.shape))]
    shape = [size if isinstance(size, int) else default for size, default in zip(spec.shape, sizes, strict=True)]
    return np.zeros(shape, spec.dtype)
