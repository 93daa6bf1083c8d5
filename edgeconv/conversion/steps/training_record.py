"""What an export reads of `training.json`, which lies beside the `model.keras` that training made."""

from collections.abc import Mapping
from dataclasses import field

from edgeconv.preparation import Preparation
from edgeconv.record import EMPTY, Json, Record


class TrainedFile(Record):
    """The file that the record is of."""

    sha256: str


class TrainedBy(Record):
    """How it was trained."""

    name: str


class TrainedOn(Record):
    """The data that it was trained on: their name and fingerprint, how they were prepared, and how to open them."""

    name: str
    sha256: str
    preparation: Preparation
    spec: Mapping[str, Json]


class TrainedFrom(Record):
    """The model that it was made from, and how well that did on the same test images, where that is known."""

    test_accuracy: float | None = None


class TrainingRecord(Record):
    """Enough of a training to judge its model, and to tell how it was made."""

    model: TrainedFile
    dataset: TrainedOn
    seed: int | None = None
    recipe: TrainedBy | None = field(default=None, metadata={EMPTY: True})
    epochs_done: int | None = None
    base: TrainedFrom | None = None
