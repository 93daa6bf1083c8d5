"""The third step: what int8 ranges are measured on, and what the variants are compared on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.int8.calibration import read_calibration
from edgeconv.conversion.int8.feeds import CalibrationFeeds
from edgeconv.conversion.int8.health import PIXELS, check_health
from edgeconv.conversion.int8.images import draw_calibration
from edgeconv.conversion.steps.keras_answers import answers_from_files, keras_stage, say_if_at_chance
from edgeconv.conversion.steps.loading import LoadedModel
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.datasets.examples import Examples
from edgeconv.parity.comparison import Batch, ComparisonSet, fingerprint
from edgeconv.parity.examples import answered, compared_on
from edgeconv.parity.golden import SAMPLES
from edgeconv.parity.stage import answers_of

SAMPLES_JUDGED = 1000
"""Calibration samples that a model is judged on where there is no test split."""

VALUES_HELD = 2**24
"""Numbers of inputs and answers that are held for that; masks of large pictures have a million each."""


@dataclass(frozen=True)
class Conversion:
    """A model, and what its variants are made from and compared on.

    Attributes:
        loaded: the model and its data.
        context: what its variants are made from; they stand there once they are made.
        from_files: Keras' answers to the files of the evaluation set, read by the user's own loader, (n, classes).
    """

    loaded: LoadedModel
    context: VariantContext
    from_files: NDArray[np.float32] | None = None


def choose_comparison(loaded: LoadedModel) -> Conversion:
    """Choose what the variants of a model are compared on: what was named as right, or images for calibration.

    Where there is none of these, it is what fp32 is verified on: the user's inputs, or random ones.

    Raises:
        ConfigError: the images for calibration cannot be read, or are not what the model was trained on.
    """
    request, calibration = loaded.resolved.request, _calibration(loaded)
    context = VariantContext(
        loaded.reference,
        request.config,
        loaded.inputs,
        loaded.preparation,
        signature=loaded.signature,
        calibration=calibration,
        evaluation_set=_evaluation_set(loaded, calibration),
        progress=request.progress,
    )
    say_if_at_chance(loaded.reference, context.evaluation_set, request.progress)
    config, from_files = request.config, None
    if config.loader is not None:
        files = () if loaded.data is None else loaded.data.test_files
        from_files = answers_from_files(loaded.reference, files, config.loader, config.fitting, request.progress)
    return Conversion(loaded, context, from_files)


def _calibration(loaded: LoadedModel) -> CalibrationFeeds | None:
    """Return the images that int8 ranges are measured on: those that were named, else training images."""
    request, reference, data = loaded.resolved.request, loaded.reference, loaded.data
    size, seed, progress = request.config.calibration_size, request.config.seed, request.progress
    if request.config.calibration is not None:
        images = read_calibration(
            request.config.calibration,
            reference.inputs,
            loaded.preparation,
            size=size,
            seed=seed,
            fit_is_stated=request.config.fitting.fit is not None or loaded.resolved.source.training is not None,
            progress=progress,
        )
    elif data is not None:
        images = draw_calibration(data.train, dataset=data.name, size=size, seed=seed)
    else:
        return None
    test = None if data is None else data.test
    check_health(images, value_range=PIXELS if reference.eats_pixels else None, test=test, progress=progress)
    return images


def _evaluation_set(loaded: LoadedModel, calibration: CalibrationFeeds | None) -> ComparisonSet | None:
    """Return what was named to judge the model on, or None where differences of answers are all there is."""
    data = loaded.data
    if loaded.examples is not None:
        return _answered_examples(loaded, loaded.examples)
    if data is not None:
        test = data.test
        return ComparisonSet.of_images(
            test.images, test.labels, dataset=data.name, split="test", sha256=data.sha256, files=data.test_files
        )
    if calibration is not None:
        if not loaded.reference.is_classifier:
            return None if loaded.inputs is not None else _answered_calibration(loaded, calibration)
        record, (images,) = calibration.record, calibration.first(SAMPLES_JUDGED).values()
        return ComparisonSet.of_images(images, dataset=record.dataset, split=record.split)
    return None


def _answered_calibration(loaded: LoadedModel, calibration: CalibrationFeeds) -> ComparisonSet:
    """Return calibration samples with Keras' answers, as many as can be held."""
    keras = keras_stage(loaded.reference, loaded.resolved.source.size_bytes)
    size = loaded.reference.batch or loaded.reference.interface.declared_batch or SAMPLES
    batches, held, seen = list[Batch](), 0, 0
    most = min(SAMPLES_JUDGED, calibration.count)
    with loaded.resolved.request.progress.bar("Answers of Keras", most) as advance:
        for feeds in calibration.batches(size):
            answers = keras.run(feeds)
            batches.append(Batch(feeds, "calibration samples", answers))
            held += sum(array.size for array in (*answers.values(), *feeds.values()))
            seen += batches[-1].count
            advance(batches[-1].count, "")
            if seen >= most or held > VALUES_HELD:
                break
    record, expected = calibration.record, tuple(batch.expected for batch in batches)
    compared = ComparisonSet(record.dataset, record.split, fingerprint(batches), tuple(batches), spreads={})
    return answered(compared, expected)


def _answered_examples(loaded: LoadedModel, examples: Examples) -> ComparisonSet:
    """Return examples with Keras' answers; pictures that are compared by their classes have none yet."""
    compared = compared_on(loaded.signature, examples.inputs, examples.right, dataset=examples.name, split="test")
    if compared.spreads is None:
        return compared
    keras = keras_stage(loaded.reference, loaded.resolved.source.size_bytes)
    return answered(compared, answers_of(keras, compared))
