"""How often each variant is right, for the figures of its speed to stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.benchmarking.configurations import Configuration, Opened
from edgeconv.datasets import DatasetSpec, open_dataset
from edgeconv.errors import DatasetError
from edgeconv.pictures.showing import MOST_PICTURES, pictures_of
from edgeconv.progress import Progress
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.golden import Samples
from edgeconv.variants import takes_pictures

BATCH = 64


@dataclass(frozen=True)
class Accuracies:
    """The accuracy of each variant on each provider.

    Attributes:
        source: where the figures are from, in words.
        of: share of right answers, 0 to 1, by (variant, provider).
    """

    source: str
    of: dict[tuple[str, str], float]


def accuracies_of(
    files: ModelFiles, configurations: Sequence[Configuration], dataset: str | DatasetSpec | None, progress: Progress
) -> Accuracies:
    """Return accuracies: measured on a dataset where one is given, else those of the manifest, else of golden vectors.

    Args:
        files: of the model.
        configurations: variants on providers.
        dataset: labelled data, whose test split is answered, or None.
        progress: sees a bar.

    Raises:
        DatasetError: the data are absent or damaged, or do not fit the model.
    """
    if not files.manifest.is_classifier:
        if dataset is not None:
            raise DatasetError(
                f"`dataset` of `benchmark` tells the accuracy of classes. Received: `{files.path}` of the task "
                f"{files.manifest.task}. Leave it out, and measure with `edgeconv evaluate --dataset`."
            )
        return Accuracies(f"not known of the task {files.manifest.task}", {})
    if dataset is not None:
        data = open_dataset(DatasetSpec(dataset) if isinstance(dataset, str) else dataset, progress=progress)
        _require_fit(files, data.test.images.shape[1:], len(data.labels), data.source)
        test = data.ordered_as(files.manifest.labels).test
        measured = {
            (one.variant, one.provider): _accuracy(files, one, test.images, test.labels, progress, data.test_files)
            for one in configurations
        }
        less = [one.variant for one in configurations if takes_pictures(one.variant) and len(test) > MOST_PICTURES]
        note = f" ({', '.join(less)}: pictures of its first {MOST_PICTURES})" if less else ""
        return Accuracies(f"the test split of {data.name}, measured here{note}", measured)
    metrics = files.manifest.metrics
    known = {name: value for name, value in metrics.accuracy.items() if value is not None} if metrics else {}
    if metrics and known:
        return Accuracies(
            f"the manifest: {metrics.dataset}, {metrics.split} split, measured at the export",
            {(one.variant, one.provider): float(known[one.variant]) for one in configurations if one.variant in known},
        )
    if files.samples is None:
        return Accuracies("not known", {})
    samples = Samples.load(files.samples)
    # Where the labels are not known, Keras' answers are the truth.
    truth = np.where(samples.labels < 0, samples.probabilities.argmax(axis=1), samples.labels)
    golden = {
        (one.variant, one.provider): _accuracy(files, one, samples.images, truth, progress) for one in configurations
    }
    return Accuracies("golden vectors, answered here", golden)


def _accuracy(
    files: ModelFiles,
    configuration: Configuration,
    images: NDArray[Any],
    labels: NDArray[np.int64],
    progress: Progress,
    picture_files: Sequence[Path] = (),
) -> float:
    opened, right = Opened(files, configuration), 0
    fixed: int | str | None = files.manifest.input.shape[0]
    if takes_pictures(configuration.variant) and files.manifest.preprocess is not None:
        images, fixed = pictures_of(images, files.manifest.preprocess, picture_files), None
    size = fixed if isinstance(fixed, int) else BATCH
    with progress.bar(f"Accuracy of {configuration.variant}", len(images)) as advance:
        for start in range(0, len(images), size):
            part = images[start : start + size]
            # A file may take batches of one size only: the last one is filled up.
            answers = opened.probabilities(np.resize(part, (size, *part.shape[1:])) if isinstance(fixed, int) else part)
            right += int(np.count_nonzero(answers[: len(part)].argmax(axis=1) == labels[start : start + len(part)]))
            advance(len(part), "")
    return right / len(images)


def _require_fit(files: ModelFiles, shape: tuple[int, ...], classes: int, source: str) -> None:
    wanted = files.manifest.input.shape[1:]
    if files.manifest.input.kind != "picture" and wanted != shape:
        raise DatasetError(f"`{files.path}` requires images of {wanted}. Received: {shape} in {source}. Choose others.")
    if classes != len(files.manifest.labels):
        raise DatasetError(
            f"`{files.path}` requires data of {len(files.manifest.labels)} classes. Received: {classes} in {source}. "
            "Choose others."
        )
