"""What the layers of a Keras model answer on given inputs, without keeping more than is asked for.

While a model runs, operator by operator, the calls of all its layers pass through here, also those of layers inside
layers. A layer has the path of the calls that lead to it: ``"encoder/conv"``, or ``"encoder/conv#2"`` in its second
call, which are the scopes that the nodes of an exported file are named after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.explanation.statistics import TensorStatistics

Run = Callable[[], Any]
"""Runs the model once on the inputs in question, outside any `tf.function`."""

_Listener = Callable[[str, str, str, Any], None]


@dataclass(frozen=True)
class LayerRecord:
    """One output of one call of a layer.

    Attributes:
        name: the path, ``#2`` after it in the second call, ``[1]`` after that for the second output.
        path: of the layer, from the model, whose own is its name.
        class_name: of the layer.
        shape: of the output, with the batch axis.
        dtype: numpy's name of it.
        statistics: of its elements.
    """

    name: str
    path: str
    class_name: str
    shape: tuple[int, ...]
    dtype: str
    statistics: TensorStatistics

    @property
    def size_bytes(self) -> int:
        """Memory that the output takes."""
        return self.statistics.size * np.dtype(self.dtype).itemsize


def layer_order(model: Any, run: Run) -> tuple[LayerRecord, ...]:
    """Return every output of every layer in the order of the calls; no output outlives its measurement.

    A layer that holds others comes behind them, unless it answers with what one of them answered. The steps inside a
    recurrent layer, which its cell takes once for each time, are left out.

    Args:
        model: the Keras model.
        run: runs it.
    """
    records: list[LayerRecord] = []

    def listen(name: str, path: str, class_name: str, output: Any) -> None:
        array = np.asarray(output)
        record = LayerRecord(name, path, class_name, array.shape, str(array.dtype), TensorStatistics.of(array))
        if not any(_hands_on(record, inner, model) for inner in records):
            records.append(record)

    with _listening(model, listen):
        run()
    return tuple(records)


def outputs_of(model: Any, run: Run, names: Collection[str]) -> Mapping[str, NDArray[Any]]:
    """Return a few layers' outputs by the names of their records; the run ends once it has them.

    Args:
        model: the Keras model.
        run: runs it.
        names: as `layer_order` gave them.
    """
    found: dict[str, NDArray[Any]] = {}

    def listen(name: str, path: str, class_name: str, output: Any) -> None:
        del path, class_name
        if name in names:
            found[name] = np.asarray(output)
            if len(found) == len(names):
                raise _EnoughError

    with suppress(_EnoughError), _listening(model, listen):
        run()
    return found


def in_chunks(records: Collection[LayerRecord], limit_bytes: int) -> Iterator[list[LayerRecord]]:
    """Yield records in groups whose outputs take at most `limit_bytes` together, or that are one output."""
    chunk: list[LayerRecord] = []
    for record in records:
        if chunk and sum(held.size_bytes for held in chunk) + record.size_bytes > limit_bytes:
            yield chunk
            chunk = []
        chunk.append(record)
    if chunk:
        yield chunk


def _hands_on(record: LayerRecord, inner: LayerRecord, model: Any) -> bool:
    """Tell whether a layer answers with what a layer inside it answered: a nested model does."""
    inside = record.path == model.name or inner.path.startswith(f"{record.path}/")
    return inside and inner.statistics == record.statistics


class _EnoughError(BaseException):
    """Ends a run early; no Exception, since Keras rewrites those on their way."""


@contextmanager
def _listening(model: Any, listen: _Listener) -> Iterator[None]:
    """Let `listen` hear of each output of each layer below `model` while the block runs."""
    import keras

    original = keras.layers.Layer.__call__
    calls: Counter[str] = Counter()
    stack: list[Any] = []

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if (layer is not model and not stack) or any(isinstance(around, keras.layers.RNN) for around in stack):
            return original(layer, *args, **kwargs)
        stack.append(layer)
        try:
            answer = original(layer, *args, **kwargs)
            path = "/".join(part.name for part in stack[1:]) or model.name
        finally:
            stack.pop()
        calls[path] += 1
        name = path if calls[path] == 1 else f"{path}#{calls[path]}"
        outputs = [output for output in keras.tree.flatten(answer) if _is_numbers(output)]
        for place, output in enumerate(outputs):
            listen(f"{name}[{place}]" if place else name, path, type(layer).__name__, output)
        return answer

    keras.layers.Layer.__call__ = call
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = original


def _is_numbers(output: Any) -> bool:
    return hasattr(output, "numpy") and np.dtype(output.dtype.as_numpy_dtype).kind in "fiub"
