"""Inputs that a file and Keras are compared on, with Keras' answers: random ones, or the user's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.keras.reference import KerasReference
from edgeconv.conversion.verification.open_sizes import find_sizes
from edgeconv.conversion.verification.random_inputs import RandomInputs, candidates
from edgeconv.errors import UnsupportedModelError
from edgeconv.parity.comparison import Batch, ComparisonSet, Feeds, fingerprint
from edgeconv.parity.values import spread_of

BATCHES = (3, 1)
"""The larger one first: its answers say how far apart answers lie."""

SECOND_SCALE = 2
"""Where heights and widths are dynamic, they are tried at a second size, so many times the first."""

LEAST_SPREAD = 1e-5
"""Share of the largest answer below which a difference of answers is rounding: float32 has 24 bits."""


def draw_sample_inputs(reference: KerasReference, seed: int, data: Feeds | None = None) -> ComparisonSet:
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
        found = _answered("given", reference, iter(feeds))
        problem = _degenerate(found, reference.outputs)
        if not problem:
            return found
    else:
        for source in candidates(reference, seed):
            sized, side = find_sizes(reference, source, sizes[0])
            found = _answered("random", reference, _draws(sized, sizes, side))
            problem = _degenerate(found, reference.outputs)
            if not problem:
                return replace(found, draw=partial(sized.draw, side=side) if reference.batch is None else None)
    raise UnsupportedModelError(
        f"`{reference.path}` must give answers that can be compared. Received: {problem}, which proves nothing. "
        f"Train it, or give inputs of yours with `--input-data x.npz`."
    )


def _draws(source: RandomInputs, sizes: tuple[int, ...], side: int) -> Iterator[tuple[Feeds, str]]:
    dynamic = any(size is None for port in source.ports for size in port.shape)
    for size in sizes:
        yield source.draw(size, side), f"random inputs, batch {size}"
    if dynamic:
        yield source.draw(sizes[0], side * SECOND_SCALE), f"random inputs of a second size, batch {sizes[0]}"


def _answered(what: str, reference: KerasReference, draws: Iterator[tuple[Feeds, str]]) -> ComparisonSet:
    batches = tuple(Batch(feeds, words, reference.run(feeds)) for feeds, words in draws)
    spreads = {port.name: spread_of(batch.expected[port.name] for batch in batches) for port in reference.outputs}
    return ComparisonSet(what, what, fingerprint(batches), batches, spreads=spreads)


def _values(batches: tuple[Batch, ...], output: str) -> NDArray[np.float64]:
    return np.concatenate([batch.expected[output].astype(np.float64).ravel() for batch in batches])


def _degenerate(found: ComparisonSet, outputs: tuple[Port, ...]) -> str:
    """Say which output proves nothing, or return an empty string."""
    dead = {}
    for port in outputs:
        values = _values(found.batches, port.name)
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
        if len(dead) == len(outputs) or np.dtype(found.batches[0].expected[name].dtype).kind == "f"
    }
    return ", ".join(f"`{name}` is {what}" for name, what in fatal.items())
