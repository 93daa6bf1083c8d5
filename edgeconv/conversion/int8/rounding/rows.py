"""What a layer multiplies its weights with: sampled rows of its im2col matrix, a few thousand of all images.

An output of a convolution at one position is the product of the weights with one row: the patch of the input that the
kernel covers there. Rows are drawn by seed, at the same positions of the same images for equal seeds, so that those of
a float model and of its int8 twin belong together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

OPERATORS = ("Conv", "Gemm", "MatMul")
"""Layers whose rows are known. A ConvTranspose has no int8 kernel on CPUs, and is left out."""

Rows = NDArray[np.float32]
"""float32, (groups, rows, inputs of a group * taps)."""


@dataclass(frozen=True)
class Layout:
    """How a layer's weights lie as rows of a matrix, and how patches of its input do.

    Attributes:
        node: a Conv, a Gemm or a MatMul.
        shape: of its weights, as the model stores them.
    """

    node: onnx.NodeProto
    shape: tuple[int, ...]

    @property
    def groups(self) -> int:
        """Groups of a convolution; 1 for anything else."""
        return int(self._attributes.get("group", 1))

    @property
    def in_rows(self) -> bool:
        """Whether a Gemm stores a row for each output, and not a column."""
        return self.node.op_type == "Gemm" and bool(self._attributes.get("transB", 0))

    @property
    def width(self) -> int:
        """Length of a row: inputs of a group times taps."""
        return math.prod(self.shape[1:]) if self.node.op_type == "Conv" or self.in_rows else self.shape[0]

    def as_rows(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Return stored weights as (groups, outputs of a group, width)."""
        if self.node.op_type != "Conv":
            weights = weights if self.in_rows else weights.T
        return weights.reshape(self.groups, -1, self.width)

    def as_stored(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return weights in rows as the model stores them: what `as_rows` undoes."""
        if self.node.op_type == "Conv" or self.in_rows:
            return rows.reshape(self.shape)
        return rows.reshape(-1, self.width).T

    def positions(self, inputs: NDArray[Any]) -> int:
        """Return how many rows one sample of a batch has."""
        if self.node.op_type == "Conv":
            return math.prod(self._outputs(inputs.shape[2:]))
        return math.prod(inputs.shape[1:-1])

    def draw(self, inputs: NDArray[Any], most: int, generator: np.random.Generator) -> Rows:
        """Return rows of a batch, at most so many of each sample, drawn without replacement.

        Args:
            inputs: of the layer, float32, (batch, channels, ...) of a Conv, (batch, ..., width) of others.
            most: rows of each sample.
            generator: draws positions.
        """
        count = self.positions(inputs)
        chosen = [generator.permutation(count)[:most] for _ in inputs]
        samples = np.repeat(np.arange(len(inputs)), [len(places) for places in chosen])
        places = np.concatenate(chosen)
        if self.node.op_type != "Conv":
            return inputs.reshape(len(inputs), count, self.width)[samples, places][None].astype(np.float32)
        return self._patches(inputs, samples, places)

    def _patches(self, inputs: NDArray[Any], samples: NDArray[Any], places: NDArray[Any]) -> Rows:
        sizes, kernel = inputs.shape[2:], self.shape[2:]
        pads = self._pads(sizes)
        padded = np.pad(inputs, [(0, 0), (0, 0), *pads])
        strides, dilations = self._per_axis("strides"), self._per_axis("dilations")
        flat = np.zeros((len(places), math.prod(kernel)), np.int64)
        corners = np.unravel_index(places, self._outputs(sizes))
        taps = np.unravel_index(np.arange(flat.shape[1]), kernel)
        for axis, size in enumerate(padded.shape[2:]):
            along = corners[axis][:, None] * strides[axis] + taps[axis] * dilations[axis]
            flat = flat * size + along
        spread = padded.reshape(*padded.shape[:2], -1)
        found = spread[samples[:, None], :, flat].transpose(0, 2, 1)
        return np.ascontiguousarray(
            found.reshape(len(places), self.groups, self.width).transpose(1, 0, 2), dtype=np.float32
        )

    def _outputs(self, sizes: Sequence[int]) -> tuple[int, ...]:
        strides, dilations, pads = self._per_axis("strides"), self._per_axis("dilations"), self._pads(sizes)
        return tuple(
            (size + sum(pads[axis]) - dilations[axis] * (self.shape[2 + axis] - 1) - 1) // strides[axis] + 1
            for axis, size in enumerate(sizes)
        )

    def _pads(self, sizes: Sequence[int]) -> list[tuple[int, int]]:
        kind = self._attributes.get("auto_pad", b"NOTSET").decode()
        if kind in {"NOTSET", "VALID"}:
            given = self._attributes.get("pads", [0] * 2 * len(sizes)) if kind == "NOTSET" else [0] * 2 * len(sizes)
            return list(zip(given[: len(sizes)], given[len(sizes) :], strict=True))
        found = []
        for axis, size in enumerate(sizes):
            stride, dilation = self._per_axis("strides")[axis], self._per_axis("dilations")[axis]
            whole = max(0, (-(-size // stride) - 1) * stride + dilation * (self.shape[2 + axis] - 1) + 1 - size)
            less, more = whole // 2, whole - whole // 2
            found.append((less, more) if kind == "SAME_UPPER" else (more, less))
        return found

    def _per_axis(self, name: str) -> Sequence[int]:
        found: Sequence[int] = self._attributes.get(name, [1] * (len(self.shape) - 2))
        return found

    @property
    def _attributes(self) -> dict[str, Any]:
        return {item.name: helper.get_attribute_value(item) for item in self.node.attribute}
