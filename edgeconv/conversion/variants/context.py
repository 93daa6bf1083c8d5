"""What variants are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edgeconv.config import ExportConfig
from edgeconv.conversion.int8.feeds import CalibrationFeeds
from edgeconv.conversion.keras import KerasReference
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.manifest import Manifest
from edgeconv.parity.comparison import Answers, ComparisonSet, Feeds
from edgeconv.parity.meaning import ARRAYS, Meaning
from edgeconv.parity.own_metric import OwnMetric
from edgeconv.preparation import Preparation
from edgeconv.progress import SILENT, Progress
from edgeconv.variants import REFERENCE

KINDS = {"linear": "logits", "softmax": "probabilities", "sigmoid": "probabilities"}
"""What the scores of classes are behind the last activation of a model."""


@dataclass(frozen=True)
class VariantContext:
    """A model, how to export it, what it is compared on, and the variants that were made so far.

    Attributes:
        reference: the model in Keras.
        config: which variants, and how.
        inputs: the user's inputs by name, (n, ...), to compare fp32 on in place of random ones.
        preparation: what makes the model's input of a picture; None where nobody knows.
        signature: the contract, as far as inputs and outputs go.
        calibration: samples that int8 ranges are measured on.
        evaluation_set: what the variants are compared on: images by their classes, or labelled inputs of any task with
            Keras' answers, their spreads and what is `right`; None where nobody named any.
        files: the variants made so far, by name.
        progress: receives messages.
    """

    reference: KerasReference
    config: ExportConfig = field(default_factory=ExportConfig)
    inputs: Feeds | None = None
    preparation: Preparation | None = None
    signature: Manifest | None = None
    calibration: CalibrationFeeds | None = None
    evaluation_set: ComparisonSet | None = None
    files: Mapping[str, ConvertedFile] = field(default_factory=dict)
    progress: Progress = SILENT

    @property
    def fp32(self) -> ConvertedFile:
        """The verified file that all others are made from."""
        return self.files[REFERENCE]

    @property
    def sample_inputs(self) -> ComparisonSet:
        """The inputs that fp32 was compared on, with Keras' answers.

        Raises:
            ValueError: there is no fp32 yet.
        """
        if REFERENCE not in self.files or self.fp32.sample_inputs is None:
            raise ValueError("there are no sample inputs before fp32 is made")
        return self.fp32.sample_inputs

    @property
    def compared(self) -> ComparisonSet:
        """What the variants are proved on: the evaluation set, or the sample inputs where there is none."""
        return self.sample_inputs if self.evaluation_set is None else self.evaluation_set

    @property
    def output_kind(self) -> str:
        """What the model answers: ``"probabilities"``, ``"logits"``, or ``"tensor"`` where that is no classes."""
        if not self.reference.is_classifier:
            return "tensor"
        if (found := KINDS.get(self.reference.head.activation)) is not None:
            return found
        return kind_of_output(next(iter(self.sample_inputs.batches[0].expected.values())))

    @property
    def meaning(self) -> Meaning:
        """What the outputs mean; a classifier of pictures has gates of its own."""
        plain = self.reference.is_classifier or self.signature is None
        meaning = ARRAYS if plain or self.signature is None else Meaning.of(self.signature)
        return replace(meaning, metric=OwnMetric.named(self.config.metric))

    @property
    def pending(self) -> str | None:
        """What is still to be done to the first output: ``"softmax"``, ``"sigmoid"`` or nothing."""
        kind = self.output_kind
        return "softmax" if kind == "logits" else self.reference.head.pending if kind == "tensor" else None

    @property
    def answers(self) -> Mapping[str, tuple[Answers, ...]]:
        """What stages have answered already to what they are compared on, by name; see `parity.stage.answers_of`."""
        known = {name: answers for file in self.files.values() for name, answers in file.answers.items()}
        if self.compared.spreads is not None:
            known["keras"] = tuple(batch.expected for batch in self.compared.batches)
        return known

    def with_file(self, name: str, file: ConvertedFile) -> VariantContext:
        """Return the context with one more variant."""
        return replace(self, files={**self.files, name: file})


def kind_of_output(answers: NDArray[np.float32]) -> str:
    """Tell probabilities of classes, whose rows are positive and sum to 1, from logits; where no layer tells.

    Args:
        answers: float32, (n, classes), of the reference.
    """
    sums_to_one = np.allclose(answers.sum(axis=1), 1.0, atol=1e-3)
    return "probabilities" if sums_to_one and float(answers.min()) >= 0.0 else "logits"
