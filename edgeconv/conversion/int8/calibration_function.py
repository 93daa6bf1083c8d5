"""Calibration samples that a function of the user's yields: arrays by input, of any sizes that the model takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.int8.feeds import Blocks, samples_in
from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.verification.user_inputs import fitted
from edgeconv.errors import ConfigError, one_line
from edgeconv.importing import import_function
from edgeconv.parity.comparison import Feeds

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def is_function(text: str) -> bool:
    """Tell whether a text is ``module:function``.

    Example:
        >>> is_function("train:feeds"), is_function("C:/pictures")
        (True, False)
    """
    return _FUNCTION.fullmatch(text) is not None


def blocks_of_function(place: str, ports: Sequence[Port], size: int) -> tuple[Blocks, int]:
    """Return the first samples that a function yields, and how many they are.

    It is called anew for each pass over them, and has to yield the same each time.

    Args:
        place: ``"module:function"``; without arguments, it yields arrays by input, (n, ...), or for the only input the
            bare array.
        ports: the model's inputs.
        size: samples at most.

    Raises:
        ConfigError: there is no such function, it fails, or what it yields does not fit the model.
    """
    function = import_function(place, option="calibration")

    def blocks(start: int) -> Iterator[Feeds]:
        seen = 0
        for feeds in _yielded(function, place):
            arrays = _fitted(feeds, ports, place)
            count = samples_in(arrays)
            first, last = max(0, start - seen), min(count, size - seen)
            if first < last:
                yield {name: array[first:last] for name, array in arrays.items()}
            seen += count
            if seen >= size:
                return

    count = sum(samples_in(block) for block in blocks(0))
    if not count:
        raise ConfigError(f"`calibration` requires samples. Received: none of {place!r}. Yield arrays by input.")
    return blocks, count


def _yielded(function: Any, place: str) -> Iterator[Any]:
    try:
        yield from function()
    except Exception as error:  # Code of the user's own.
        raise ConfigError(
            f"`calibration` must yield arrays by input. Received: {place}: {type(error).__name__}: {one_line(error)}. "
            "Correct it."
        ) from error


def _fitted(feeds: Any, ports: Sequence[Port], place: str) -> dict[str, NDArray[Any]]:
    named = feeds if isinstance(feeds, Mapping) else {ports[0].name: feeds}
    arrays = {str(name): np.asarray(array) for name, array in named.items()}
    found = fitted(arrays, tuple(ports), place)
    counts = {len(array) for array in found.values()}
    if len(counts) != 1 or 0 in counts:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in found.items())
        raise ConfigError(
            f"`{place}` must yield as many samples, at least 1, for each input. Received: {shapes}. The first axis "
            "is that of the samples."
        )
    return found
