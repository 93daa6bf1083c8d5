"""What quantization-aware training says of int8: the ranges of the activations, and the answers to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from edgeconv.conversion.explanation.comparing import compare
from edgeconv.conversion.explanation.explaining import NEAR, explain
from edgeconv.conversion.explanation.recording import outputs_of
from edgeconv.conversion.explanation.tapping import TappedModel
from edgeconv.conversion.int8.quantizing import prepare
from edgeconv.conversion.int8.ranges import Ranges
from edgeconv.conversion.keras import KerasReference
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.parity.comparison import Answers, ComparisonSet, Feeds
from edgeconv.parity.stage import FAKE_QUANTIZED, Stage, answers_of, on_images
from edgeconv.variants import REFERENCE

IMAGES_MATCHED = 8
"""Images that tell which tensor of the graph is which layer's output."""


@dataclass(frozen=True)
class TrainedInt8:
    """A model that was trained to be int8.

    Attributes:
        ranges: lowest and highest value of activations, by the names of tensors of the fp32 file.
        answers: to the images that classes are compared on, with fake quantization; empty where values are compared.
    """

    ranges: Ranges
    answers: tuple[Answers, ...] = ()


def as_trained(context: VariantContext, compared: ComparisonSet) -> TrainedInt8:
    """Return what the training says of int8: nothing where it was not aware of it.

    Args:
        context: with fp32.
        compared: the inputs that int8 is judged on.
    """
    reference, progress = context.reference, context.progress
    trained = reference.with_fake_quantization
    if trained is None:
        return TrainedInt8({})
    count = reference.batch or IMAGES_MATCHED
    feeds = {name: array[:count] for name, array in compared.batches[0].feeds.items()}
    ranges = trained_ranges(reference, context.fp32.model, feeds)
    progress.say(f"Quantization-aware training: {len(ranges)} ranges of activations are taken from the model")
    if compared.spreads is not None:
        return TrainedInt8(ranges)
    stage = Stage(FAKE_QUANTIZED, "tensorflow", on_images(trained.predict), 0)
    return TrainedInt8(ranges, answers_of(stage, compared, progress))


def trained_ranges(reference: KerasReference, fp32: onnx.ModelProto, feeds: Feeds) -> Ranges:
    """Return the trained range of each tensor of the fp32 file that has one.

    A layer's output is known by what it holds: names alone do not tell where several layers became one node. Of pixels
    that are scaled and shifted before a layer that pads, the file only shifts: that tensor is a multiple of Keras'.

    Args:
        reference: the model.
        fp32: its verified file.
        feeds: arrays by input that tell tensors apart.
    """
    trained = {} if reference.fake_quantized is None else reference.fake_quantized.ranges
    ranges = {value.name: trained[value.name] for value in fp32.graph.input if value.name in trained}
    rows = explain(reference, feeds, {REFERENCE: fp32}).rows
    for row in rows:
        found = row.errors[REFERENCE]
        if found is not None and row.layer in trained:
            ranges[found.value] = trained[row.layer]
    missing = [name for name in trained if name not in {row.layer for row in rows if row.errors[REFERENCE]}]
    return {**ranges, **_ranges_of_shifted_pixels(reference, fp32, feeds, missing)}


def _ranges_of_shifted_pixels(
    reference: KerasReference, fp32: onnx.ModelProto, feeds: Feeds, missing: Sequence[str]
) -> Ranges:
    """Return the range of the tensor that pixels become before the first layer, if it is a multiple of a layer's."""
    scaling = [node for node in fp32.graph.node if node.name in prepare(fp32).path.scaling]
    if not scaling or not missing or reference.fake_quantized is None:
        return {}
    name = scaling[-1].output[0]
    received = TappedModel(fp32, feeds).fetch([name])[name]
    for layer, output in outputs_of(reference.model, lambda: reference.run(feeds), missing).items():
        factor = float(np.abs(received).max() / np.abs(output).max())
        comparison = compare(factor * output, received)
        if comparison is not None and comparison.share < NEAR:
            low, high = reference.fake_quantized.ranges[layer]
            return {name: (factor * low, factor * high)}
    return {}
