"""The images of an export: those that int8 ranges are measured on, and those that all variants are judged on."""

from __future__ import annotations

from pathlib import Path

from edgeconv.config import ExportConfig
from edgeconv.conversion.int8.health import PIXELS, check_health
from edgeconv.conversion.int8.image_files import read_calibration
from edgeconv.conversion.int8.images import CalibrationImages, draw_calibration
from edgeconv.conversion.keras import KerasReference
from edgeconv.conversion.verification.random_inputs import candidates
from edgeconv.datasets import Dataset
from edgeconv.parity.comparison import ComparisonSet
from edgeconv.preparation import Preparation
from edgeconv.progress import Progress
from edgeconv.variants import VARIANTS

IMAGES_JUDGED = 1000
"""Calibration images that classes are judged on where there is no test split."""

RANDOM_IMAGES = 64
"""Images of noise that stand in where e2e comes without data."""


def find_calibration(
    reference: KerasReference,
    preparation: Preparation | None,
    data: Dataset | None,
    config: ExportConfig,
    progress: Progress,
) -> CalibrationImages | None:
    """Return the images that int8 ranges are measured on: those that were named, else training images."""
    size, seed = config.calibration_size, config.seed
    if config.calibration is not None:
        path, port = Path(config.calibration), reference.inputs[0]
        images = read_calibration(path, port, preparation, size=size, seed=seed, progress=progress)
    elif data is not None:
        images = draw_calibration(data.train, dataset=data.name, size=size, seed=seed)
    else:
        return None
    test = None if data is None else data.test
    check_health(images, value_range=PIXELS if reference.eats_pixels else None, test=test, progress=progress)
    return images


def find_evaluation_set(
    reference: KerasReference, data: Dataset | None, calibration: CalibrationImages | None, config: ExportConfig
) -> ComparisonSet | None:
    """Return the images to judge classes on, or None where differences of random answers are all there is."""
    if data is not None:
        test = data.test
        return ComparisonSet.of_images(test.images, test.labels, dataset=data.name, split="test", sha256=data.sha256)
    if calibration is not None:
        record, images = calibration.record, calibration.first(IMAGES_JUDGED)
        return ComparisonSet.of_images(images, dataset=record.dataset, split=record.split)
    # Without any image, differences from Keras are shares of an output's spread, where a variant has a limit for that.
    if all(row.tolerance is not None for row in VARIANTS.values() if config.makes(row.name)):
        return None
    images = next(candidates(reference, config.seed)).draw(RANDOM_IMAGES, 0)["image"]
    return ComparisonSet.of_images(images, dataset="random", split="random")
