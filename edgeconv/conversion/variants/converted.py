"""A file that was made of a model, verified, and not yet written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import onnx

from edgeconv.conversion.int8.quantizing import Quantized
from edgeconv.conversion.int8.search.result import SearchResult
from edgeconv.manifest_blocks import Calibration
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.runtime.session import Session


@dataclass(frozen=True)
class ConvertedFile:
    """A verified variant that has no contract in it yet.

    Attributes:
        model: the graph.
        bytes: the same, serialised.
        quantized: how it was quantized; None for fp32.
        calibration: what its ranges were measured on; None for fp32.
        embeds: the variant inside, where the preparation of pictures is in front of it.
        sample_inputs: of fp32: inputs and Keras' answers to them, which it agrees with.
        search: of int8: every candidate that was tried.
        answers: what this and earlier variants answered to the evaluation set while this one was made, by name: they
            need not be run again.
        session: of fp32, which is open since it was verified.
        before: of a detector: the file before what it gives is decoded, and before that is suppressed.
    """

    model: onnx.ModelProto
    bytes: bytes
    quantized: Quantized | None = None
    calibration: Calibration | None = None
    embeds: str | None = None
    sample_inputs: ComparisonSet | None = None
    search: SearchResult | None = None
    answers: Mapping[str, tuple[Answers, ...]] = field(default_factory=dict)
    session: Session | None = None
    before: Sequence[onnx.ModelProto] = ()

    @property
    def reduced_range(self) -> bool:
        """Whether its int8 weights take 7 bits, so that no sum overflows on any processor."""
        return self.quantized is not None and self.quantized.arguments.reduce_range

    @property
    def in_layers(self) -> onnx.ModelProto:
        """The graph with a tensor for each layer: before a first convolution was taken in blocks."""
        plain = None if self.quantized is None else self.quantized.plain
        return self.model if plain is None else plain
