"""The second step: Keras opens the model, and the data that it is judged on are opened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgeconv.conversion.graph.file_size import check_size
from edgeconv.conversion.int8.targets import scheme_of
from edgeconv.conversion.keras import KerasReference, load_keras
from edgeconv.conversion.steps.examples import (
    labelled_examples,
    names_classes,
    names_pictures,
    takes_examples,
    with_stated,
)
from edgeconv.conversion.steps.fit import check_fit, check_task, names_of
from edgeconv.conversion.steps.pictures import (
    check_stated,
    fitted_dataset,
    input_sentences,
    picture_size,
    preparation_for,
)
from edgeconv.conversion.steps.resolution import ResolvedExport
from edgeconv.conversion.steps.signature import signature_of
from edgeconv.conversion.steps.source import find_data
from edgeconv.conversion.verification.user_inputs import fitted, read_inputs
from edgeconv.datasets import Dataset
from edgeconv.datasets.examples import Examples
from edgeconv.manifest import Manifest
from edgeconv.parity.comparison import Feeds
from edgeconv.preparation import Preparation

LABELS_FILE = "labels.txt"
"""What Teachable Machine and others put beside a model."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in Keras, and the data that go with it.

    Attributes:
        resolved: what it was found by.
        reference: the model.
        data: pictures with a class each, in the parts that are trained and judged on, or None.
        examples: what the model is judged on where that is no such data: inputs, and what is right of each; or None.
        inputs: the user's inputs by name, (n, ...), or None.
    """

    resolved: ResolvedExport
    reference: KerasReference
    data: Dataset | None
    inputs: Feeds | None
    examples: Examples | None = None

    @property
    def preparation(self) -> Preparation | None:
        """How a picture becomes the model's input, or None where nobody knows."""
        config, training = self.resolved.request.config, self.resolved.source.training
        return preparation_for(self.reference, config, training, self.data)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the answers: those that were given, those of the data, or numbers."""
        given, training = self.resolved.request.config.labels, self.resolved.source.training
        if given is not None:
            return given
        if training is not None:
            return tuple(training["dataset"]["labels"])
        return self.data.labels if self.data is not None else names_of(self.reference)

    @property
    def signature(self) -> Manifest:
        """The contract, as far as inputs and outputs go."""
        config, name = self.resolved.request.config, self.resolved.folder.resolve().name
        return signature_of(self.reference, config, self.preparation, self.labels, name=name)


def load(resolved: ResolvedExport) -> LoadedModel:
    """Load the model and its data, and check that these go together.

    Raises:
        ArtifactError: Keras cannot load the model.
        ConfigError: the options contradict the model.
        DatasetError: the data are absent, damaged, or do not fit the model.
        UnsupportedModelError: the model holds code, or more than an ONNX file can.
    """
    request, source = resolved.request, resolved.source
    config, spec = request.config, request.spec
    arrays = None if config.input_data is None else read_inputs(Path(config.input_data))
    reference = load_keras(
        source.path,
        input_range=config.input_range,
        custom_objects=config.custom_objects,
        unsafe=config.unsafe,
        signature=config.signature,
        task=config.task,
        classes=config.labels is not None or names_classes(spec) or source.training is not None,
        pictures=names_pictures(spec) or config.image_size is not None or config.channels is not None,
        data=arrays,
        boxes=config.box_statement,
        labels=None if config.labels is None else len(config.labels),
    )
    made_for = scheme_of(config.target).batch if config.target else None
    reference = replace(reference, batch=config.batch or made_for)
    examples = spec if spec is not None and takes_examples(spec, reference) else None
    if examples is not None:
        config = with_stated(config, examples)
        resolved = replace(resolved, request=replace(request, config=config))
    for sentence in input_sentences(reference, config, has_size=names_classes(spec) or source.training):
        request.progress.say(sentence)
    for sentence in reference.head.sentences(reference.outputs):
        request.progress.say(sentence)
    check_stated(reference, config, source.training)
    size, channels = picture_size(reference, config), reference.inputs[0].shape[-1] if reference.takes_picture else None
    check_task(reference, config)
    dataset = fitted_dataset(spec, config.fitting, size, channels) if examples is None else None
    data = find_data(source, dataset, request.progress)
    check_fit(reference, data, config, labelled=examples is not None)
    check_size(4 * reference.parameters, str(source.path))
    inputs = None if arrays is None else fitted(arrays, reference.inputs, config.input_data or "")
    loaded = LoadedModel(resolved, reference, data, inputs)
    loaded = replace(loaded, data=data and data.ordered_as(loaded.labels))
    if loaded.preparation is not None:
        request.progress.say(f"Pictures: {loaded.preparation.sentence}.")
    if examples is not None:
        opened = labelled_examples(reference, loaded.signature, examples, request.progress)
        loaded = replace(loaded, examples=opened)
    beside = source.path.parent / LABELS_FILE
    if loaded.labels and loaded.labels == names_of(reference) and beside.is_file():
        request.progress.say(f"No labels were given. `{beside}` lies beside the model: `--labels {beside}` takes them.")
    return loaded
