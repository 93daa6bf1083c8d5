"""How pictures become a model's input: what the user stated, what the training recorded, what the model takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeconv.config import ExportConfig
from edgeconv.datasets import Dataset, DatasetSpec
from edgeconv.datasets.idx import find_idx
from edgeconv.errors import ConfigError
from edgeconv.fitting import Fitting
from edgeconv.preparation import CHANNELS, Preparation

if TYPE_CHECKING:  # Its room needs onnx, and a device that evaluates reads pictures without.
    from edgeconv.conversion.keras import KerasReference


def preparation_for(
    reference: KerasReference, config: ExportConfig, training: Mapping[str, Any] | None, data: Dataset | None
) -> Preparation | None:
    """Return how a picture becomes the model's input, or None where nobody knows.

    Args:
        reference: the model.
        config: what is stated.
        training: the record of its training, which outweighs all else, or None.
        data: labelled data, or None.
    """
    if not reference.eats_pixels:
        return None
    if training is not None:
        return Preparation.from_dict(training["dataset"]["preparation"])
    if data is not None:
        assumed = data.preparation.kind == "resize" and data.spec.fit is None
        return replace(data.preparation, fit_assumed=assumed)
    channels, size = reference.inputs[0].shape[-1], picture_size(reference, config)
    if size is None or channels is None or channels not in CHANNELS.values():
        return None
    height, width = size
    return config.fitting.applied(Preparation("resize", height, width, channels, fit_assumed=True))


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


def input_sentences(reference: KerasReference, config: ExportConfig, *, has_size: object) -> Iterator[str]:
    """Say what the model is given, and why.

    Args:
        reference: the model.
        config: what is stated.
        has_size: true where data or a record tell the size of pictures.
    """
    if not reference.takes_picture:
        arrays = ", ".join(f"{port.name} {port.dtype} ({', '.join(map(str, port.axes))})" for port in reference.inputs)
        yield f"Input: arrays, as Keras takes them: {arrays}."
        return
    yield reference.pixels.sentence
    if reference.interface.channels == "first":
        yield "Input: pictures with their channels last, as files have them; the model's own come first."
    if picture_size(reference, config) is None and not has_size:
        yield "Input: any size. State the one that pictures become, such as `--image-size 224x224`."


def check_stated(reference: KerasReference, config: ExportConfig, training: Mapping[str, Any] | None) -> None:
    """Check that what is stated of pictures is what the model takes, and what it was trained on.

    Raises:
        ConfigError: it is not.
    """
    channels = reference.inputs[0].shape[-1] if reference.takes_picture else None
    if config.channels is not None and channels != config.channels:
        words = {number: word for word, number in CHANNELS.items()}
        takes = f"{channels} ({words.get(channels, 'no picture')})" if channels else "no picture"
        raise ConfigError(
            f"`channels` must be what `{reference.path}` takes, {takes}. Received: {config.channels} "
            f"({words[config.channels]}). Leave it out."
        )
    if training is None:
        return
    trained = Preparation.from_dict(training["dataset"]["preparation"])
    if config.fitting.applied(trained) != trained:
        known = Fitting.of(trained)
        raise ConfigError(
            "`fit`, `interpolation` and `antialias` must be those of the training. Received: others than its record "
            f"has, {known.fit}, {known.interpolation} and {known.antialias}. Leave them out, or train again with them."
        )


def fitted_dataset(
    dataset: str | DatasetSpec | None, fitting: Fitting, size: tuple[int, int] | None, channels: int | None
) -> str | DatasetSpec | None:
    """Return the data that are asked for, the pictures of a folder brought to what a model takes.

    Args:
        dataset: as it is asked for; what it states itself stays.
        fitting: how pictures are fitted where the data do not say so.
        size: height and width that the model takes, or None.
        channels: that it takes, or None.
    """
    if dataset is None:
        return dataset
    spec = DatasetSpec(dataset) if isinstance(dataset, str) else dataset
    spec = replace(spec, **asdict(spec.fitting.or_else(fitting)))
    folder = Path(spec.dataset).expanduser()
    if not spec.is_path or not folder.is_dir() or find_idx(folder) is not None:
        return spec
    return replace(spec, image_size=spec.image_size or size, channels=spec.channels or channels)
