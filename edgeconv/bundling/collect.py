"""Collects from an artifact what a bundle needs: the model with its preparation inside, samples for the self-test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.interface import BundleInterface, interface_of, preparation_for
from edgeconv.bundling.selftest import SelftestSample
from edgeconv.bundling.tolerances import measure_tolerances
from edgeconv.errors import ArtifactError
from edgeconv.manifest import Manifest
from edgeconv.pictures.drawing import draw_pictures
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from edgeconv.runtime.activation import activated
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.golden import golden_inputs
from edgeconv.runtime.loading import choose_variant
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import open_session, run_native
from edgeconv.variants import REFERENCE, VARIANTS, best_first

MOST_SAMPLES = 32
SAMPLES_OF_MANY = 16
MOST_BYTES = 32 * 2**20
"""Of all samples: of those of a large model there are fewer, at least `FEWEST_SAMPLES`."""
FEWEST_SAMPLES = 2


def collect_context(files: ModelFiles, variant: str | None) -> BundleContext:
    """Read and make what a bundle of a model needs, and check it.

    Args:
        files: the artifact.
        variant: such as ``"fp32"``; None takes the best that is offered to bundles: int8 where it is there.

    Raises:
        ArtifactError: the artifact lacks what a bundle needs.
        UnsupportedModelError: the model does not prepare as Python does, or not answer as its fp32 does.
    """
    manifest = files.manifest
    if files.samples is None or REFERENCE not in files.variants:
        raise ArtifactError(
            f"`{files.path}` must be an artifact's folder with fp32 and golden vectors. Received: "
            f"{', '.join(files.variants)} without them. Export the Keras model again."
        )
    best = next(name for name in best_first(gpu=False) if name in files.variants and VARIANTS[name].bundled)
    name = choose_variant(files, variant or best, CPU)
    preparation = preparation_for(manifest)
    plain = files.read(name)
    model = plain if preparation is None else _embedded(files, name, preparation)
    session = open_session(model, CPU, 1, timeout=files.timeout_of(name, model))
    interface = interface_of(manifest, session)
    unquantized = files.read(REFERENCE)
    reference = open_session(unquantized, CPU, 1, timeout=files.timeout_of(REFERENCE, unquantized))
    inputs, labels = golden_inputs(files.samples, (manifest.input, *manifest.more_inputs))
    if preparation is None:
        samples = _few(_array_samples(interface, inputs, reference))
    else:
        drawn = _picture_samples(manifest, inputs[manifest.input.name], labels, preparation, reference)
        samples = _few(drawn)
    tolerances = measure_tolerances(interface, manifest, samples, session, files.path)
    return BundleContext(manifest, interface, name, model, plain, samples, tolerances)


def _embedded(files: ModelFiles, variant: str, preparation: Preparation) -> bytes:
    """Return the model with its preparation inside: the artifact's own, or one made now."""
    for name, made in files.manifest.variants.items():
        if made.embeds == variant:
            return files.read(name)
    from edgeconv.errors import require

    require("onnx", "onnx_ir", extra="train", purpose=f"Embedding the preparation into {variant}")
    from edgeconv.conversion.variants.e2e import embed_variant

    return embed_variant(files.read(variant), files.manifest, preparation)


def _few(samples: Iterator[SelftestSample]) -> tuple[SelftestSample, ...]:
    """Return samples until they are as large as a file may well be."""
    chosen: list[SelftestSample] = []
    for sample in samples:
        chosen.append(sample)
        if len(chosen) >= FEWEST_SAMPLES and sum(each.size_bytes for each in chosen) >= MOST_BYTES:
            break
    return tuple(chosen)


def _picture_samples(
    manifest: Manifest,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    preparation: Preparation,
    reference: Any,
) -> Iterator[SelftestSample]:
    """Yield pictures drawn from golden images, with what Python makes of them, and what fp32 answers to that."""
    outputs = [spec.name for spec in (manifest.output, *manifest.more_outputs)]
    count = len(images) if len(images) <= MOST_SAMPLES else SAMPLES_OF_MANY
    for number, picture in enumerate(draw_pictures(images[:count], preparation)):
        prepared = prepare(picture, preparation)[None]
        first, *others = run_native(reference, outputs, {manifest.input.name: prepared})
        label = -1 if labels is None else int(labels[number])
        yield SelftestSample((picture,), (activated(manifest, first), *others, prepared), label)


def _array_samples(
    interface: BundleInterface, inputs: Mapping[str, NDArray[Any]], reference: Any
) -> Iterator[SelftestSample]:
    """Yield golden arrays, as few at once as the model takes, with what fp32 answers to them."""
    names = [array.name for array in interface.outputs]
    at_once = interface.inputs[0].shape[0] or 1
    for start in range(0, min(len(next(iter(inputs.values()))), MOST_SAMPLES), at_once):
        given = {array.name: inputs[array.name][start : start + at_once] for array in interface.inputs}
        yield SelftestSample(tuple(given.values()), tuple(run_native(reference, names, given)))
