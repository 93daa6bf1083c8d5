"""Whether a file answers as Keras does: on random inputs or on the user's, at two batch sizes, at two picture sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.keras.reference import KerasReference
from edgeconv.conversion.verification.random_inputs import Feeds, RandomInputs, candidates
from edgeconv.errors import UnsupportedModelError
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import open_session

BATCHES = (3, 1)
"""The larger one first: its answers say how far apart answers lie."""

SECOND_SCALE = 2
"""Where heights and widths are dynamic, they are tried at a second size, so many times the first."""

SIDES = (64, 128, 256)
"""Heights and widths that a picture of any size is tried at; some networks have no answer to small ones."""

LEAST_SPREAD = 1e-5
"""Share of the largest answer below which a difference of answers is rounding: float32 has 24 bits."""

LEAST_SCALE = 1e-2
"""Share of the largest answer that counts as the spread of answers which lie closer together: rounding grows with the
answers, not with their differences."""


@dataclass(frozen=True)
class Trial:
    """Inputs and the reference's answers to them.

    Attributes:
        feeds: arrays by input.
        expected: arrays by output.
        what: what the inputs are, for people.
    """

    feeds: Feeds
    expected: Mapping[str, NDArray[Any]]
    what: str


@dataclass(frozen=True)
class Trials:
    """All trials of a model.

    Attributes:
        trials: the trials.
        spreads: largest minus smallest answer of each output over all trials, at least `LEAST_SCALE` of the largest.
        source: where the inputs were drawn; None where they are the user's.
    """

    trials: tuple[Trial, ...]
    spreads: Mapping[str, float]
    source: RandomInputs | None = None


@dataclass(frozen=True)
class Difference:
    """The largest difference of a file's answers from the reference's.

    Attributes:
        output: name of the output.
        error: the largest difference.
        share: of the output's spread; infinite where shapes differ or an answer is no number.
        trial: the inputs that it was seen on.
    """

    output: str
    error: float
    share: float
    trial: Trial

    def sentence(self, tolerance: float) -> str:
        """Say it."""
        return (
            f"answer in ONNX as in Keras, to within {tolerance:g} of the spread of its outputs. Received: a difference "
            f"of {self.error:.3g} in `{self.output}`, {self.share:.2g} of the spread, on {self.trial.what}"
        )


def draw_trials(reference: KerasReference, seed: int, data: Mapping[str, NDArray[Any]] | None = None) -> Trials:
    """Return inputs with the reference's answers, which differ enough to prove something.

    Args:
        reference: the Keras model.
        seed: of random inputs.
        data: the user's inputs by name, (n, ...); None draws random ones.

    Raises:
        UnsupportedModelError: the reference's answers are constant or no numbers.
    """
    sizes = BATCHES if reference.batch is None else (reference.batch,)
    problem = ""
    if data is not None:
        count = len(next(iter(data.values())))
        feeds = [({name: array[:size] for name, array in data.items()}, f"{size} of your inputs") for size in sizes]
        if reference.batch is None and count > max(sizes):
            feeds.insert(0, (dict(data), f"your {count} inputs"))
        found = _tried(reference, iter(feeds))
        problem = _degenerate(found, reference.outputs)
        if not problem:
            return found
    else:
        for source in candidates(reference, seed):
            found = _tried(reference, _draws(reference, source, sizes))
            problem = _degenerate(found, reference.outputs)
            if not problem:
                return replace(found, source=source)
    raise UnsupportedModelError(
        f"`{reference.path}` must give answers that can be compared. Received: {problem}, which proves nothing. "
        f"Train it, or give inputs of yours with `--input-data x.npz`."
    )


def largest_difference(model: bytes, trials: Trials) -> Difference:
    """Run a file on all trials, and return where it differs most from the reference."""
    session = open_session(model, CPU, threads=1)
    worst: Difference | None = None
    for trial in trials.trials:
        answers = run_trial(session, trial)
        for name, expected in trial.expected.items():
            error, share = _distance(answers[name], expected, trials.spreads[name])
            if worst is None or share > worst.share:
                worst = Difference(name, error, share, trial)
    if worst is None:
        raise ValueError("a model without outputs")
    return worst


def run_trial(session: Any, trial: Trial) -> dict[str, NDArray[Any]]:
    """Return the answers of ONNX Runtime's own session to a trial's inputs, by output."""
    names = list(trial.expected)
    return dict(zip(names, session.run(names, trial.feeds), strict=True))


def _draws(reference: KerasReference, source: RandomInputs, sizes: tuple[int, ...]) -> Iterator[tuple[Feeds, str]]:
    side = _side(reference, source, sizes[0])
    dynamic = any(size is None for port in reference.inputs for size in port.shape)
    for size in sizes:
        yield source.draw(size, side), f"random inputs, batch {size}"
    if dynamic:
        yield source.draw(sizes[0], side * SECOND_SCALE), f"random inputs of a second size, batch {sizes[0]}"


def _side(reference: KerasReference, source: RandomInputs, batch: int) -> int:
    """Return the smallest side that Keras has an answer to, of the shape that the model declares.

    Where a sequence is shorter than a frame of STFTSpectrogram, Keras returns memory that nobody wrote to.
    """
    sides = SIDES if any(len(port.shape) == 3 for port in reference.inputs) else (8, *SIDES)
    if all(size is not None for port in reference.inputs for size in port.shape):
        return sides[0]
    for side in sides[:-1]:
        try:
            answers = reference.run(source.draw(batch, side))
        except UnsupportedModelError:
            continue
        if all(port.fits(answers[port.name].shape) for port in reference.outputs):
            return side
    return sides[-1]


def _tried(reference: KerasReference, draws: Iterator[tuple[Feeds, str]]) -> Trials:
    found = tuple(Trial(feeds, reference.run(feeds), what) for feeds, what in draws)
    return Trials(found, {port.name: _spread(_values(found, port.name)) for port in reference.outputs})


def _values(found: tuple[Trial, ...], output: str) -> NDArray[np.float64]:
    return np.concatenate([trial.expected[output].astype(np.float64).ravel() for trial in found])


def _spread(values: NDArray[np.float64]) -> float:
    if not values.size or not np.isfinite(values).all():
        return 0.0
    return max(float(np.ptp(values)), LEAST_SCALE * float(np.abs(values).max()))


def _degenerate(found: Trials, outputs: tuple[Port, ...]) -> str:
    """Say which output proves nothing, or return an empty string."""
    dead = {}
    for port in outputs:
        values = _values(found.trials, port.name)
        if not values.size:
            dead[port.name] = "empty"
        elif not np.isfinite(values).all():
            dead[port.name] = "NaN or infinity"
        elif np.ptp(values) <= LEAST_SPREAD * np.abs(values).max():
            dead[port.name] = f"{values[0]:g} in all places"
    # A mask or an index may well be the same everywhere, while the output beside it is not.
    fatal = {
        name: what
        for name, what in dead.items()
        if len(dead) == len(outputs) or np.dtype(found.trials[0].expected[name].dtype).kind == "f"
    }
    return ", ".join(f"`{name}` is {what}" for name, what in fatal.items())


def _distance(answer: NDArray[Any], expected: NDArray[Any], spread: float) -> tuple[float, float]:
    if answer.shape != expected.shape:
        return float("inf"), float("inf")
    if expected.dtype.kind != "f":
        wrong = float((answer != expected).mean()) if expected.size else 0.0
        return wrong, float("inf") if wrong else 0.0
    error = float(np.abs(answer.astype(np.float64) - expected).max(initial=0.0))
    return (error, error / spread) if np.isfinite(error) and spread else (error, float("inf") if error else 0.0)
