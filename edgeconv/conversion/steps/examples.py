"""What a model is judged on where that is no set of classes: a table, arrays or folders that say what is right."""

from __future__ import annotations

from dataclasses import asdict, replace

from edgeconv.config import ExportConfig
from edgeconv.conversion.keras import KerasReference
from edgeconv.conversion.steps.fit import check_pixels
from edgeconv.datasets import DatasetSpec
from edgeconv.datasets.examples import Examples, are_examples, holds_numbers, open_examples
from edgeconv.datasets.npz import dtypes_of
from edgeconv.errors import ConfigError
from edgeconv.manifest import Manifest
from edgeconv.parity.metrics import METRICS
from edgeconv.progress import Progress


def takes_examples(spec: DatasetSpec | None, reference: KerasReference) -> bool:
    """Whether named data are examples of a model's task, and not pictures in a folder of each class."""
    if spec is None or not reference.answers_classes:
        return spec is not None
    return are_examples(spec.dataset, takes_pixels=reference.eats_pixels)


def names_classes(spec: DatasetSpec | None) -> bool:
    """Whether named data say by themselves that each picture has a class; fractions in an `.npz` are none."""
    if spec is None or not _is_arrays(spec):
        return spec is not None and not spec.dataset.lower().endswith((".csv", ".tsv", ".json"))
    labels = [dtype for name, dtype in dtypes_of(spec.dataset).items() if name in _LABELS]
    return all(dtype.kind in "iubSU" for dtype in labels)


def names_pictures(spec: DatasetSpec | None) -> bool:
    """Whether named data are pictures; arrays are where some have the dtype of pixels."""
    return spec is not None and not holds_numbers(spec.dataset)


def with_stated(config: ExportConfig, spec: DatasetSpec) -> ExportConfig:
    """Return a config that has what is said of the pictures of examples, for nobody else reads it."""
    fitting = asdict(spec.fitting.or_else(config.fitting))
    size, channels = config.image_size or spec.image_size, config.channels or spec.channels
    return replace(config, image_size=size, channels=channels, **fitting)


def labelled_examples(
    reference: KerasReference, signature: Manifest, spec: DatasetSpec, progress: Progress
) -> Examples:
    """Open the examples that a model is judged on.

    Args:
        reference: the model.
        signature: its contract, as far as inputs and outputs go.
        spec: where they lie.
        progress: hears how many there are.

    Raises:
        ConfigError: they do not say what is right, or are pictures of which the model does not say what it takes.
        DatasetError: they are absent, damaged, or do not fit the model.
    """
    if reference.takes_picture and signature.preprocess is None and not _is_arrays(spec):
        check_pixels(reference)
        raise ConfigError(
            f"`{reference.path}` must say what size pictures become. Received: a model of any size. State it, such as "
            "`--image-size 224x224`."
        )
    examples = open_examples(spec.dataset, signature, progress)
    if METRICS.get(reference.task) and reference.task != "embedding" and not examples.right:
        rows = len(reference.outputs[0].shape) == 1 and reference.classes > 1
        raise ConfigError(
            f"`dataset` must say what is right of each input. Received: inputs alone in {examples.source}. Give "
            f"{_RIGHT.get(reference.task, 'arrays by the names of the outputs too')}"
            f"{', or state `--task classes` if each picture has one class' * (rows and reference.takes_picture)}."
        )
    progress.say(f"Data: {examples.source}, {examples.count:,} inputs")
    return examples


_LABELS = ("y", "labels", "y_train")
"""What the array of classes is called in an `.npz`."""

_RIGHT = {
    **dict.fromkeys(("tags", "values", "yes-no", "classes"), "a `.csv` of pictures with what is right of each"),
    "mask": "a folder with `images` and `masks`",
    "picture": "a folder with `images` and `targets`",
    "boxes": "a COCO `.json`, or a folder with `images` and `labels` as YOLO has them",
}
"""What says what is right of pictures, by task."""


def _is_arrays(spec: DatasetSpec) -> bool:
    return spec.dataset.lower().endswith(".npz")
