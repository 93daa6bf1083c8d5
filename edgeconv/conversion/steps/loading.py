"""The second step: Keras opens the model, and the data that it is judged on are opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edgeconv.config import ExportConfig
from edgeconv.conversion.graph.file_size import check_size
from edgeconv.conversion.keras import KerasReference, load_keras
from edgeconv.conversion.steps.fit import check_fit, names_of
from edgeconv.conversion.steps.resolution import ResolvedExport
from edgeconv.conversion.steps.source import find_data
from edgeconv.conversion.verification.user_inputs import fitted, read_inputs
from edgeconv.datasets import Dataset, DatasetSpec
from edgeconv.datasets.idx import find_idx
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
        *_, channels = self.reference.inputs[0].shape
        size = picture_size(self.reference, self.resolved.request.config)
        if size is None or channels not in {1, 3}:
            return None
        height, width = size
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
        pictures=request.dataset is not None or config.image_size is not None,
        data=arrays,
    )
    reference = replace(reference, batch=config.batch)
    if reference.takes_picture:
        request.progress.say(reference.pixels.sentence)
        if picture_size(reference, config) is None and request.dataset is None and source.training is None:
            request.progress.say("Input: any size. State the one that pictures become, such as `--image-size 224x224`.")
    request.progress.say(reference.head.sentence(reference.outputs[0]))
    dataset = _fitted(request.dataset, config.fitting, picture_size(reference, config))
    data = find_data(source, dataset, request.progress)
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


def picture_size(reference: KerasReference, config: ExportConfig) -> tuple[int, int] | None:
    """Return the height and width that pictures become: the model's own, or those that are stated for an open one.

    Raises:
        ConfigError: what is stated is not what the model takes.
    """
    stated = config.image_size
    if not reference.takes_picture:
        return None
    own = reference.inputs[0].shape[:2]
    if stated is not None and any(side not in {None, given} for side, given in zip(own, stated, strict=True)):
        raise ConfigError(
            f"`image_size` must be what `{reference.path}` takes, {own[0]}x{own[1]}. Received: "
            f"{stated[0]}x{stated[1]}. Leave it out."
        )
    if own[0] is None or own[1] is None:
        return stated
    return own[0], own[1]


def _fitted(
    dataset: str | DatasetSpec | None, fitting: Fitting, size: tuple[int, int] | None
) -> str | DatasetSpec | None:
    """Return the data that are asked for, their pictures brought to the model's size as it is stated."""
    if dataset is None:
        return dataset
    spec = DatasetSpec(dataset) if isinstance(dataset, str) else dataset
    if fitting.is_stated and not spec.fitting.is_stated:
        spec = replace(spec, **asdict(fitting))
    folder = Path(spec.dataset).expanduser()
    of_pictures = spec.is_path and folder.is_dir() and find_idx(folder) is None
    return replace(spec, image_size=size) if of_pictures and spec.image_size is None and size is not None else spec
