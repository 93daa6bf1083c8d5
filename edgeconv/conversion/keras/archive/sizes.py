"""What a model asks for, from its config alone: at least this many bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edgeconv.conversion.keras.archive.wording import shown
from edgeconv.errors import UnsupportedModelError
from edgeconv.formatting import format_size
from edgeconv.memory import memory_allowed

FLOAT_BYTES = 4
"""Of a weight when it is loaded; half precision is converted in float32."""

GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
"""Matrices of units x units in a recurrent layer."""


def check_sizes(path: Path, parts: Sequence[dict[str, Any]]) -> None:
    """Check that the weights and the inputs that a config asks for fit into memory.

    Counts the layers that can be large: dense, embedding, convolution, recurrent ones, inputs. Others are left to
    the limit on the process.

    Args:
        path: what the error calls the file.
        parts: dicts with `class_name`, `config` and perhaps `build_config`.

    Raises:
        UnsupportedModelError: names the largest layer.
    """
    sizes = [(FLOAT_BYTES * _elements(part), part) for part in parts if isinstance(part["config"], dict)]
    if sizes:
        size, largest = max(sizes, key=lambda pair: pair[0])
        layer = f"{shown(largest['config'].get('name'))}, a {largest['class_name']}"
        detail = f", of which {format_size(size)} for the layer {layer}"
        check_memory(path, sum(size for size, _ in sizes), detail)


def check_memory(path: Path, size_bytes: int, detail: str = "") -> None:
    """Check that the weights and inputs of a model fit into memory.

    Args:
        path: what the error calls the file.
        size_bytes: that they take, at least.
        detail: of these bytes, for the error.

    Raises:
        UnsupportedModelError: they do not.
    """
    allowed = memory_allowed()
    if size_bytes > allowed:
        raise UnsupportedModelError(
            f"`{path}` must fit into the {format_size(allowed)} of memory that there are. Received: at least "
            f"{format_size(size_bytes)}{detail}. Use a machine with more memory, or a smaller model."
        )


def _elements(part: dict[str, Any]) -> int:
    """Return a lower bound of a layer's weights, or of an input's elements; 0 where it is not known."""
    count, config = COUNTS.get(part["class_name"]), part["config"]
    if count is None:
        return 0
    build = part.get("build_config")
    shape = build.get("input_shape") if isinstance(build, dict) else None
    channels_first = config.get("data_format") == "channels_first"
    axis = shape[1 if channels_first and len(shape) > 1 else -1] if isinstance(shape, list) and shape else None
    return count(config, _number(axis))


def _number(value: Any) -> int:
    """Return a size, or 1 for what is unknown or none: the bound stays a lower one."""
    return value if isinstance(value, int) and value > 0 else 1


def _product(values: Any) -> int:
    return math.prod(_number(value) for value in (values if isinstance(values, list) else [values]))


def _of_convolution(config: dict[str, Any], channels: int) -> int:
    kernel = _product(config.get("kernel_size"))
    return kernel * _number(config.get("filters")) * max(1, channels // _number(config.get("groups")))


def _of_recurrence(gates: int) -> Callable[[dict[str, Any], int], int]:
    def count(config: dict[str, Any], features: int) -> int:
        units = _number(config.get("units"))
        return gates * units * (units + features)

    return count


COUNTS: dict[str, Callable[[dict[str, Any], int], int]] = {
    "InputLayer": lambda config, _: _product(config.get("batch_shape") or config.get("batch_input_shape")),
    "Dense": lambda config, features: _number(config.get("units")) * features,
    "Embedding": lambda config, _: _number(config.get("input_dim")) * _number(config.get("output_dim")),
    **{f"Conv{rank}D{kind}": _of_convolution for rank in (1, 2, 3) for kind in ("", "Transpose")},
    **{name: _of_recurrence(gates) for name, gates in GATES.items()},
}
"""A layer's class -> its elements, from its config and the features of its input."""
