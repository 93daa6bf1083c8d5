"""The second step: Keras opens the model, and the data that it is judged on are opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edgeconv.conversion.graph.file_size import check_size
from edgeconv.conversion.keras import KerasReference, load_keras
from edgeconv.conversion.steps.fit import check_fit, names_of
from edgeconv.conversion.steps.resolution import ResolvedExport
from edgeconv.conversion.steps.source import find_data
from edgeconv.conversion.verification.user_inputs import fitted, read_inputs
from edgeconv.datasets import Dataset, DatasetSpec
from edgeconv.errors import ConfigError
from edgeconv.parity.comparison import Feeds
from edgeconv.preparation import Fitting, Preparation


@dataclass(frozen=True)
class LoadedModel:
    """A model in Keras, and the data that go with it.

    Attributes:
        resolved: what it was found by.
        reference: the model.
        data: labelled data, or None.
        inputs: the user's inputs by name, (n, ...), or None.
    """

    resolved: ResolvedExport
    reference: KerasReference
    data: Dataset | None
    inputs: Feeds | None

    @property
    def preparation(self) -> Preparation | None:
        """How a picture becomes the model's input, or None where nobody knows."""
        if not self.reference.eats_pixels:
            return None
        training = self.resolved.source.training
        if training is not None:
            return Preparation.from_dict(training["dataset"]["preparation"])
        if self.data is not None:
            return self.data.preparation
        height, width, channels = self.reference.inputs[0].shape
        if height is None or width is None or channels not in {1, 3}:
            return None
        return self.resolved.request.config.fitting.applied(Preparation("resize", height, width, channels))

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the answers: those that were given, those of the data, or numbers."""
        given, training = self.resolved.request.config.labels, self.resolved.source.training
        if given is not None:
            return given
        if training is not None:
            return tuple(training["dataset"]["labels"])
        return self.data.labels if self.data is not None else names_of(self.reference)


def load(resolved: ResolvedExport) -> LoadedModel:
    """Load the model and its data, and check that these go together.

    Raises:
        ArtifactError: Keras cannot load the model.
        ConfigError: the options contradict the model.
        DatasetError: the data are absent, damaged, or do not fit the model.
        UnsupportedModelError: the model holds code, or more than an ONNX file can.
    """
    request, source = resolved.request, resolved.source
    config = request.config
    arrays = None if config.input_data is None else read_inputs(Path(config.input_data))
    reference = load_keras(
        source.path,
        input_range=config.input_range,
        custom_objects=config.custom_objects,
        unsafe=config.unsafe,
        signature=config.signature,
        task=config.task,
        classes=config.labels is not None or request.dataset is not None or source.training is not None,
        data=arrays,
    )
    reference = replace(reference, batch=config.batch)
    if reference.takes_picture:
        request.progress.say(reference.pixels.sentence)
    request.progress.say(reference.head.sentence(reference.outputs[0]))
    data = find_data(source, _fitted(request.dataset, config.fitting), request.progress)
    check_fit(reference, data, config)
    if source.training is not None:
        _check_fitting(source.training, config.fitting)
    check_size(4 * reference.parameters, str(source.path))
    inputs = None if arrays is None else fitted(arrays, reference.inputs, config.input_data or "")
    return LoadedModel(resolved, reference, data, inputs)


def _check_fitting(training: Mapping[str, Any], fitting: Fitting) -> None:
    """Refuse to fit pictures otherwise than those that a model was trained on."""
    trained = Preparation.from_dict(training["dataset"]["preparation"])
    if fitting.applied(trained) != trained:
        known = Fitting.of(trained)
        raise ConfigError(
            "`fit`, `interpolation` and `antialias` must be those of the training. Received: others than its record "
            f"has, {known.fit}, {known.interpolation} and {known.antialias}. Leave them out, or train again with them."
        )


def _fitted(dataset: str | DatasetSpec | None, fitting: Fitting) -> str | DatasetSpec | None:
    """Return the data that are asked for, their pictures fitted as the model's are."""
    if dataset is None or not fitting.is_stated:
        return dataset
    spec = DatasetSpec(dataset) if isinstance(dataset, str) else dataset
    return spec if spec.fitting.is_stated else replace(spec, **asdict(fitting))
