"""Whether calibration images are what the model will see: ranges measured on others make a bad int8 model."""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.int8.feeds import CalibrationFeeds, digests_of
from edgeconv.datasets import Split
from edgeconv.errors import DatasetError
from edgeconv.progress import SILENT, Progress

PIXELS = (0.0, 255.0)

_TOLERANCE = 0.01
"""Part of the declared range that values may lie outside: more comes from another scaling, not from rounding."""

_UNUSED = 0.01
"""Part of the declared range below which the values are of another scaling: 0 to 1 where pixels are 0 to 255."""

_NARROW = 0.25
"""Part of the declared range below which the images are hardly representative: night, fog, one grey."""

_MANY = 0.5
"""Part of the images from which on a fault is the rule."""


def check_health(
    images: CalibrationFeeds,
    *,
    value_range: tuple[float, float] | None,
    test: Split | None = None,
    progress: Progress = SILENT,
) -> None:
    """Refuse images that cannot be right, and warn of those that may not be.

    Refused, since no range that is measured on them fits: values that are not finite, that lie outside the declared
    range, or use less than a hundredth of it (images scaled to 0-1 for a model that takes pixels 0-255); all or most
    images of one value; most images from the test split (its accuracy would then judge what was fitted to it).
    Warned of, since they can be what the user has: less than a quarter of the range, some images of one value, most
    images equal to others, one class alone, some images from the test split.

    Args:
        images: the calibration images.
        value_range: lowest and highest value that the model is made for, `PIXELS` where it takes pixels; None where
            nobody knows.
        test: the test split, where there is one.
        progress: hears the warnings.

    Raises:
        DatasetError: says what was found and what to do.
    """
    _check_values(images, value_range, progress)
    _check_variety(images, progress)
    if test is not None:
        _check_leakage(images, test, progress)


def _check_values(images: CalibrationFeeds, value_range: tuple[float, float] | None, progress: Progress) -> None:
    survey = images.survey
    if not survey.finite:
        raise DatasetError(
            "Calibration images must be finite. Received: infinite or undefined values. Save what the model really "
            "takes."
        )
    if value_range is None:
        return
    low, high = value_range
    width, received = high - low, f"{survey.low:g} to {survey.high:g}"
    slack = _TOLERANCE * width
    if survey.low < low - slack or survey.high > high + slack or survey.high - survey.low < _UNUSED * width:
        raise DatasetError(
            f"Calibration images must have values from {low:g} to {high:g}. Received: {received}. Scale them as the "
            "model's input is, or take others."
        )
    if survey.high - survey.low < _NARROW * width:
        progress.say(
            f"Warning: the calibration images use {received} of {low:g} to {high:g}. The int8 ranges will be too small "
            "for others."
        )


def _check_variety(images: CalibrationFeeds, progress: Progress) -> None:
    constant = images.survey.constant
    if constant > _MANY * images.count:
        raise DatasetError(
            f"Calibration images must show something. Received: {constant:,} of {images.count:,} with one value "
            "everywhere. Take pictures as the model will see them."
        )
    if constant:
        progress.say(f"Warning: {constant:,} of {images.count:,} calibration images have one value everywhere.")
    different = len(np.unique(images.survey.digests))
    if different < (1 - _MANY) * images.count:
        progress.say(f"Warning: only {different:,} of {images.count:,} calibration images are different.")
    if images.labels is not None and len(np.unique(images.labels)) < 2:
        progress.say(
            "Warning: the calibration images are all of one class. The int8 ranges may be too small for the others."
        )


def _check_leakage(images: CalibrationFeeds, test: Split, progress: Progress) -> None:
    if [*images.shapes.values()] != [test.images.shape[1:]] or [*images.dtypes.values()] != [str(test.images.dtype)]:
        return
    leaked = int(np.isin(images.survey.digests, digests_of({"image": test.images})).sum())
    if leaked > _MANY * images.count:
        raise DatasetError(
            f"Calibration images must not be test images. Received: {leaked:,} of {images.count:,} from the test "
            "split, whose accuracy would say nothing then. Take training images."
        )
    if leaked:
        progress.say(f"Warning: {leaked:,} of {images.count:,} calibration images are in the test split too.")
