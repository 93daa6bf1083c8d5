"""What the outputs of a model mean, as far as stages are judged by it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.manifest import Manifest
from edgeconv.manifest_blocks import Boxes
from edgeconv.parity.own_metric import OwnMetric
from edgeconv.tasks import ANY, CLASSES, THRESHOLD


@dataclass(frozen=True)
class Meaning:
    """What the one output of a model means, or each of several.

    Attributes:
        task: a key of `TASKS`.
        pending: ``"softmax"`` or ``"sigmoid"`` where that is still to be done to the output; None where nothing is.
        labels: names of its answers.
        threshold: probability from which on a tag, a yes or a pixel of one map is answered.
        value_range: smallest and largest value of the output, where they are known.
        boxes: how detections, which the stages of a detector have among their answers, are found.
        metric: of the user's own, in place of those of the task.
        outputs: of a model with several outputs: what each means by itself, by its name, where that is known.
    """

    task: str = ANY
    pending: str | None = None
    labels: tuple[str, ...] = ()
    threshold: float = THRESHOLD
    value_range: tuple[float, float] | None = None
    boxes: Boxes | None = None
    metric: OwnMetric | None = None
    outputs: Mapping[str, Meaning] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Manifest) -> Meaning:
        """Return what a contract says of a model's output."""
        output = manifest.output
        each = {
            spec.name: cls(spec.meaning.task, spec.meaning.pending, value_range=spec.value_range)
            for spec in (output, *manifest.more_outputs)
            if spec.meaning is not None
        }
        return cls(
            manifest.task,
            output.pending,
            manifest.labels,
            manifest.threshold,
            output.value_range,
            manifest.boxes,
            outputs=each,
        )

    def of_output(self, name: str) -> Meaning:
        """Return what one output means."""
        return self.outputs.get(name, self)

    def decided(self, answers: NDArray[Any]) -> NDArray[Any]:
        """Return what is decided by answers of a task that decides: the index of a class, or whether a yes.

        Args:
            answers: (n, ..., k), before what is pending.

        Returns:
            int64, (n, ...), for one class of many, of a picture or of each pixel; else bool, (n, ..., k).
        """
        if self.task == CLASSES or (self.task == "mask" and answers.shape[-1] > 1):
            return np.asarray(answers.argmax(axis=-1))
        return np.asarray(answers >= self._limit)

    def flips(self, given: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.bool_]:
        """Return where answers decide otherwise than others, in the shape of `decided`."""
        return np.asarray(self.decided(given) != self.decided(wanted))

    @property
    def _limit(self) -> float:
        """The threshold, before the sigmoid where that is pending."""
        if self.pending is None:
            return self.threshold
        if not 0.0 < self.threshold < 1.0:
            return -math.inf if self.threshold <= 0.0 else math.inf
        return math.log(self.threshold / (1.0 - self.threshold))


ARRAYS = Meaning()
"""That of outputs of which nothing is known, or which are compared by the classes of pictures."""
