"""The labelled pictures that an artifact is judged on, prepared as it says, or as is stated for this comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgeconv.artifact import KERAS_FILE
from edgeconv.conversion.steps.pictures import fitted_dataset
from edgeconv.conversion.steps.source import Source, find_data, record_of
from edgeconv.datasets import Dataset, DatasetSpec
from edgeconv.datasets.examples import are_examples, open_examples
from edgeconv.errors import ConfigError, DatasetError
from edgeconv.fitting import Fitting
from edgeconv.manifest import Manifest
from edgeconv.parity.comparison import ComparisonSet
from edgeconv.parity.examples import compared_on
from edgeconv.preparation import Preparation
from edgeconv.progress import Progress
from edgeconv.runtime.files import ModelFiles


def labelled_images(files: ModelFiles, dataset: DatasetSpec | None, progress: Progress) -> ComparisonSet:
    """Return what the classes of a model are compared on: a table, arrays of numbers, or the test split of a dataset.

    Raises:
        ConfigError: no data are given, and none are recorded.
        DatasetError: the data are absent, damaged, or do not fit the model.
    """
    takes_pixels = files.manifest.input.dtype == "uint8"
    if dataset is not None and are_examples(dataset.dataset, takes_pixels=takes_pixels):
        manifest = as_stated(files.manifest, dataset, progress)
        table = open_examples(dataset.dataset, manifest, progress)
        progress.say(f"Data: {table.source}, {table.count:,} inputs")
        return compared_on(manifest, table.inputs, table.right, dataset=table.name, split="test")
    data = _open_test_images(files, dataset, progress)
    return ComparisonSet.of_images(
        data.test.images, data.test.labels, dataset=data.name, split="test", sha256=data.sha256, files=data.test_files
    )


def as_stated(manifest: Manifest, dataset: DatasetSpec, progress: Progress) -> Manifest:
    """Return a contract whose pictures are prepared as is stated for this comparison, said where that is otherwise."""
    own = manifest.preprocess
    if own is None or not dataset.fitting.is_stated:
        return manifest
    _say_if_otherwise(made := dataset.fitting.applied(own), own, progress)
    return replace(manifest, preprocess=made)


def _open_test_images(files: ModelFiles, dataset: DatasetSpec | None, progress: Progress) -> Dataset:
    """Open the data that are asked for, or those that the model was trained on.

    What is stated of pictures counts, so that ways to fit them can be tried; where the artifact says otherwise, that is
    said.

    Raises:
        ConfigError: no data are given, and none are recorded.
        DatasetError: the data are absent, damaged, or do not fit the model.
    """
    manifest = files.manifest
    keras_path = files.path / KERAS_FILE if files.path.is_dir() else files.path
    source = Source(keras_path, "", record_of(keras_path, progress))
    data = find_data(source, _fitted(dataset, manifest), progress)
    if data is None:
        raise ConfigError(
            f"`evaluate` requires labelled data. Received: none, and `{files.path}` has no record of its training. "
            "Name them with `--dataset`."
        )
    shape, wanted = data.test.images.shape[1:], _prepared_shape(manifest)
    if len(shape) != len(wanted) or any(
        isinstance(size, int) and size != got for size, got in zip(wanted, shape, strict=False)
    ):
        raise DatasetError(
            f"`{files.path}` requires images of {wanted}. Received: {shape} in {data.source}. Choose other data."
        )
    if len(data.labels) != len(manifest.labels):
        raise DatasetError(
            f"`{files.path}` requires data of {len(manifest.labels)} classes. Received: {len(data.labels)} in "
            f"{data.source}. Choose other data."
        )
    data = data.ordered_as(manifest.labels)
    if sentence := _other_names(data.labels, manifest.labels):
        progress.say(f"{data.source}: {sentence}")
    progress.say(f"Data: {data.source}, {len(data.test.labels):,} test images, sha256 {data.sha256[:12]}")
    own = manifest.preprocess
    if own is not None and dataset is not None and dataset.fitting.is_stated:
        _say_if_otherwise(data.preparation, own, progress)
    return data


def _other_names(labels: Sequence[str], of_model: Sequence[str]) -> str:
    """Say where data have other classes than a model, as far as names tell; numbers are names of any class."""
    for place, (name, own) in enumerate(zip(labels, of_model, strict=True)):
        if name != own and not name.isdecimal() and not own.isdecimal():
            return (
                f"Its class {place}, {name}, is taken for the model's {own}: by the order, since the names are others."
            )
    return ""


def _prepared_shape(manifest: Manifest) -> tuple[int | str, ...]:
    """Return the shape of a prepared picture; a lone file with its preparation inside takes others as its input."""
    made = manifest.preprocess
    if manifest.input.kind == "picture" and made is not None:
        return made.height, made.width, made.channels
    return manifest.input.shape[1:]


def _say_if_otherwise(made: Preparation, own: Preparation, progress: Progress) -> None:
    if made not in (own, replace(own, fit_assumed=False)):
        progress.say(
            f"Pictures: {made.sentence}, as stated here. `predict` prepares them as the artifact says: "
            f"{own.sentence}. If this is right, export again with these options."
        )


def _fitted(dataset: DatasetSpec | None, manifest: Manifest) -> str | DatasetSpec | None:
    """Return the data that are asked for, their pictures as the model takes them where nobody says otherwise."""
    own = manifest.preprocess
    if dataset is None or own is None or own.kind != "resize" or dataset.preparation == "digit" or not dataset.is_path:
        return dataset
    if dataset.channels not in {None, own.channels}:
        raise ConfigError(
            f"`channels` must be what the model takes, {own.channels}. Received: {dataset.channels}. Leave it out."
        )
    return fitted_dataset(dataset, Fitting.of(own), (own.height, own.width), own.channels)
