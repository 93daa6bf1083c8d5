"""Join what a reader found, and what was asked for, into a `Dataset`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from edgeconv.datasets.checks import checked_classes
from edgeconv.datasets.dataset import Dataset, Split, fingerprint
from edgeconv.datasets.reading import Reading
from edgeconv.datasets.spec import DatasetSpec
from edgeconv.datasets.splitting import stratified_split
from edgeconv.errors import ConfigError
from edgeconv.fitting import Fitting
from edgeconv.preparation import Preparation


def assemble(reading: Reading, name: str, spec: DatasetSpec, kind: str) -> Dataset:
    """Check a reading as a whole, hold out a test split if it has none, and take its fingerprint.

    Args:
        reading: what was found.
        name: of the dataset.
        spec: what was asked for; its `dataset` and `data_dir` already say where the reading came from.
        kind: of the preparation where `spec` leaves it open, "digit" or "resize".

    Returns:
        The dataset, with read-only arrays.

    Raises:
        DatasetError: the splits do not go together, or a class is empty or too small.
        ConfigError: an option contradicts the images.
    """
    train, test = reading.train, reading.test
    names = checked_classes(train, test or train, reading.names, reading.source)
    if test is None:
        learn, judge = stratified_split(train.labels, spec.val_split, spec.seed, reading.source, names)
        train, test = (Split(train.images[part], train.labels[part]) for part in (learn, judge))
    height, width, channels = train.images.shape[1:]
    if spec.image_size not in {None, (height, width)} or spec.channels not in {None, channels}:
        raise ConfigError(
            f"`image_size` and `channels` must be {(height, width)} and {channels}, as in {reading.source}. "
            f"Received: {spec.image_size} and {spec.channels}. Leave them out; they are for folders of pictures."
        )
    kind = kind if spec.preparation == "auto" else spec.preparation
    if kind == "digit" and channels != 1:
        raise ConfigError(
            f"`preparation` 'digit' is for grey images. Received: {channels} channels in {reading.source}. "
            "Choose preparation 'resize'."
        )
    for array in (train.images, train.labels, test.images, test.labels):
        array.setflags(write=False)  # so that the fingerprint stays true
    return Dataset(
        name=name,
        source=_from_home(reading.source),
        labels=names,
        train=train,
        test=test,
        preparation=preparation_of(kind, height, width, channels, spec.fitting),
        sha256=fingerprint(train, test),
        test_files=reading.test_files,
        spec=replace(spec, image_size=(height, width), channels=channels, preparation=kind),
    )


def _from_home(source: str) -> str:
    """Shorten the user's home folder to ~: the record travels with the model, and a user's name is private."""
    home = str(Path.home())
    return f"~{source[len(home) :]}" if source.startswith(home + os.sep) else source


def preparation_of(kind: str, height: int, width: int, channels: int, fitting: Fitting) -> Preparation:
    """Return the preparation of a kind, with what is stated; a digit's ink fills 20 of 28 pixels, as MNIST's does."""
    if kind == "digit":
        box = max(1, round(min(height, width) * 20 / 28))
        return fitting.applied(Preparation(kind, height, width, channels, box=box))
    return fitting.applied(Preparation(kind, height, width, channels))
