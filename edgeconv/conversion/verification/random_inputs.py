"""Random inputs that a model may get: of its own range, so that its answers prove something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.keras.ranges import index_limits, smallest_table
from edgeconv.conversion.keras.reference import KerasReference
from edgeconv.conversion.keras.structure import leaves
from edgeconv.parity.comparison import Feeds

FEW = 8
"""Integers of an input that nothing is known of: 0 to 7."""

FLOAT_RANGES = ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0))
"""What a float input may hold, likeliest first: a layer may have no answer for some, as the logarithm has not."""


@dataclass(frozen=True)
class RandomInputs:
    """A source of random inputs for one model.

    Attributes:
        ports: the model's inputs.
        limits: number of indices by input, where an input is looked up with.
        float_range: smallest and largest value of the other floats.
        seed: equal seeds give equal inputs.
    """

    ports: tuple[Port, ...]
    limits: Mapping[str, int]
    float_range: tuple[float, float]
    seed: int

    def draw(self, batch: int, side: int) -> Feeds:
        """Return one array for each input, with `side` for each dynamic size behind the batch axis."""
        generator = np.random.default_rng(self.seed)
        return {port.name: self._array(port, port.sized(batch, side), generator) for port in self.ports}

    def _array(self, port: Port, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[Any]:
        dtype = np.dtype(port.dtype)
        limit = self.limits.get(port.name)
        if limit is not None:
            return generator.integers(0, limit, shape).astype(dtype)
        if dtype.kind == "b":
            return generator.integers(0, 2, shape).astype(bool)
        if dtype.kind in "iu":
            return generator.integers(0, 256 if dtype == np.uint8 else FEW, shape).astype(dtype)
        return generator.uniform(*self.float_range, shape).astype(dtype)


def candidates(reference: KerasReference, seed: int) -> Iterator[RandomInputs]:
    """Yield sources of random inputs for a model, the likeliest range first."""
    direct = index_limits(reference.model)
    smallest = smallest_table(reference.model)
    limits: dict[str, int] = {}
    for port, (_, tensor) in zip(reference.inputs, leaves(reference.interface.arguments), strict=True):
        if tensor.name in direct:
            limits[port.name] = direct[tensor.name]
        elif smallest is not None and port.dtype in {"int32", "int64"}:
            limits[port.name] = smallest
    floats = any(np.dtype(port.dtype).kind == "f" for port in reference.inputs if port.name not in limits)
    # What is known of pictures is that their pixels are scaled to 0 to 1 more often than to anything else.
    ranges = sorted(FLOAT_RANGES, key=lambda bounds: bounds != (0.0, 1.0)) if reference.takes_picture else FLOAT_RANGES
    for bounds in ranges if floats else ranges[:1]:
        yield RandomInputs(reference.inputs, limits, bounds, seed)
