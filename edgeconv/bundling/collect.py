"""Collects from an artifact what a bundle needs: the model with its preparation inside, samples for the self-test."""

from __future__ import annotations

import numpy as np

from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.selftest import LEAST_PROBABILITY_TOLERANCE, PREPARED_TOLERANCE, SelftestSample, Tolerances
from edgeconv.errors import ArtifactError, UnsupportedModelError
from edgeconv.pictures.drawing import draw_pictures
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from edgeconv.runtime.activation import softmax
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.loading import choose_variant
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import Session
from edgeconv.variants import REFERENCE, VARIANTS, best_first

MOST_SAMPLES = 32
FEWEST_SAMPLES = 16

LARGEST_DIFFERENCE = 0.2
"""Of a probability from the fp32 reference's: twice as much as a tolerance would let another answer pass."""


def collect_context(files: ModelFiles, variant: str | None) -> BundleContext:
    """Read and make what a bundle of a model needs, and check it.

    Args:
        files: the artifact.
        variant: such as ``"fp32"``; None takes the best that is offered to bundles: int8 where it is there.

    Raises:
        ArtifactError: the artifact lacks what a bundle needs.
        UnsupportedModelError: the model with its preparation inside does not prepare as Python does.
    """
    preparation = files.manifest.preprocess
    if preparation is None:
        raise ArtifactError(
            f"`{files.path}` must say how pixels become its input. Received: a model exported without it. "
            "Export it again with `--input-range`."
        )
    if files.samples is None or REFERENCE not in files.variants:
        raise ArtifactError(
            f"`{files.path}` must be an artifact's folder with fp32 and golden vectors. Received: "
            f"{', '.join(files.variants)} without them. Export the Keras model again."
        )
    best = next(name for name in best_first(gpu=False) if name in files.variants and VARIANTS[name].bundled)
    name = choose_variant(files, variant or best, CPU)
    embedded = _embedded(files, name, preparation)
    samples = _samples(files, Samples.load(files.samples), preparation)
    return BundleContext(
        files.manifest, preparation, name, embedded, files.read(name), samples, _tolerances(embedded, samples, files)
    )


def _embedded(files: ModelFiles, variant: str, preparation: Preparation) -> bytes:
    """Return the model with its preparation inside: the artifact's own, or one made now."""
    for name, made in files.manifest.variants.items():
        if made.embeds == variant:
            return files.read(name)
    from edgeconv.errors import require

    require("onnx", "onnx_ir", extra="train", purpose=f"Embedding the preparation into {variant}")
    from edgeconv.conversion.variants.e2e import embed_variant

    return embed_variant(files.read(variant), files.manifest, preparation)


def _samples(files: ModelFiles, golden: Samples, preparation: Preparation) -> tuple[SelftestSample, ...]:
    images = np.asarray(golden.images, np.uint8)
    count = len(images) if len(images) <= MOST_SAMPLES else FEWEST_SAMPLES
    pictures = list(draw_pictures(images[:count], preparation))
    prepared = np.stack([prepare(picture, preparation) for picture in pictures])
    answers = Session(files.read(REFERENCE)).run(prepared)
    probabilities = softmax(answers) if files.manifest.output.kind == "logits" else answers
    return tuple(
        SelftestSample(picture, int(label), image, row)
        for picture, label, image, row in zip(pictures, golden.labels[:count], prepared, probabilities, strict=True)
    )


def _tolerances(embedded: bytes, samples: tuple[SelftestSample, ...], files: ModelFiles) -> Tolerances:
    """Run the self-test here, and allow devices twice the difference of probabilities that it shows."""
    model = EmbeddedModel(embedded)
    largest = 0.0
    for number, sample in enumerate(samples):
        answer = model.answer(sample.picture)
        off = float(np.abs(answer.prepared.astype(np.int16) - sample.prepared).max())
        if off > PREPARED_TOLERANCE:
            raise UnsupportedModelError(
                f"`{files.path}` must prepare pictures in ONNX as in Python, within {PREPARED_TOLERANCE:g} grey level. "
                f"Received: {off:g} on golden picture {number}. Report it with the artifact."
            )
        largest = max(largest, float(np.abs(answer.probabilities - sample.probabilities).max()))
    if not largest <= LARGEST_DIFFERENCE:
        raise UnsupportedModelError(
            f"`{files.path}` must answer golden pictures as its fp32 does, within {LARGEST_DIFFERENCE:g} of a "
            f"probability. Received: a difference of {largest:.2g}. Bundle `--variant fp32`, or quantize it again."
        )
    surest = max(float(sample.probabilities.max()) for sample in samples)
    least = LEAST_PROBABILITY_TOLERANCE * min(1.0, 2 * surest)
    return Tolerances(PREPARED_TOLERANCE, max(least, 2 * largest))
