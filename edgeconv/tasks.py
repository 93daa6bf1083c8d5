"""What the outputs of a model mean: one row of a table for each task."""

from __future__ import annotations

from typing import NamedTuple

from edgeconv.errors import ConfigError

CLASSES = "classes"
YES_NO = "yes-no"
BOXES = "boxes"
ANY = "any"

THRESHOLD = 0.5
"""Probability from which on a tag, or a yes, is answered: where both answers are as likely."""


THRESHOLD_TASKS = ("tags", YES_NO, "mask")
"""Tasks that answer what a probability reaches; a mask where it is one map."""


def check_threshold(threshold: float | None) -> None:
    """Raise ConfigError unless a probability is 0 to 1, or left out."""
    if threshold is not None and not (hasattr(threshold, "__float__") and 0.0 <= threshold <= 1.0):
        raise ConfigError(f"`threshold` must be 0 to 1. Received: {threshold!r}. Leave it out for {THRESHOLD}.")


class TaskSpec(NamedTuple):
    """What is known of a task. A tuple, since every start of `edgeconv predict` waits for it.

    Attributes:
        name: what users call it.
        output: name of the output of a model that takes a picture.
        title: what the output is, for people.
    """

    name: str
    output: str
    title: str


TASKS = {
    row.name: row
    for row in (
        TaskSpec(CLASSES, "probabilities", "one class of many"),
        TaskSpec("tags", "probabilities", "a tag"),
        TaskSpec(YES_NO, "probability", "yes or no"),
        TaskSpec("values", "values", "a value"),
        TaskSpec("embedding", "embedding", "an embedding"),
        TaskSpec("mask", "mask", "a mask"),
        TaskSpec("picture", "picture", "a picture"),
        TaskSpec(BOXES, "boxes", "boxes with scores"),
        TaskSpec(ANY, "", "arrays"),
    )
}
"""All tasks by name."""
