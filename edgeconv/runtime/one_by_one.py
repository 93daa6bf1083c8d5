"""A session of a provider that wants to know the size of a batch beforehand: one input a call, any number of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = "batch"
"""Name of the axis of all inputs of a call, in what `edgeconv export` writes."""


def pin_batch(options: Any) -> None:
    """Let ONNX Runtime's own options fix the size of a batch to one, where a file leaves it open."""
    options.add_free_dimension_override_by_name(BATCH, 1)


class OneByOne:
    """ONNX Runtime's own session with a batch of one, for callers with any batch.

    Args:
        session: opened with options that `pin_batch` changed.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get_inputs(self) -> list[Any]:
        """Return descriptions of the inputs, with an open batch where it is one."""
        return [
            SimpleNamespace(
                name=array.name,
                type=array.type,
                shape=[BATCH, *array.shape[1:]] if array.shape[:1] == [1] else array.shape,
            )
            for array in self._session.get_inputs()
        ]

    def run(
        self, outputs: Sequence[str] | None, feeds: Mapping[str, NDArray[Any]], options: Any = None
    ) -> list[NDArray[Any]]:
        """Return these outputs, a row for each of the inputs."""
        rows = [
            self._session.run(outputs, {name: array[index : index + 1] for name, array in feeds.items()}, options)
            for index in range(max(1, len(next(iter(feeds.values())))))
        ]
        return [np.concatenate(parts) for parts in zip(*rows, strict=True)]
