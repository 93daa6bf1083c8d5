"""What is measured: a variant on a provider with its options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.benchmarking.inputs import Feeds
from edgeconv.errors import ArtifactError, ConfigError, InputError, ProviderError
from edgeconv.manifest import Manifest
from edgeconv.progress import Progress
from edgeconv.runtime.activation import softmax
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.loading import open_variant, providers_for
from edgeconv.runtime.providers import CPU, available_providers, short_name
from edgeconv.session_options import DEFAULT_OPTIONS, SessionOptions
from edgeconv.variants import takes_pictures

PICTURES = ((120, 160), (480, 640), (3024, 4032))
"""Rows and columns of the pictures that a variant with its preparation inside is timed on: a thumbnail, a frame of a
webcam, a photograph of a phone."""


@dataclass(frozen=True)
class Configuration:
    """How a model is run.

    Attributes:
        variant: which file.
        provider: ONNX Runtime's name of the execution provider.
        threads: threads inside an operator.
        options: of the session.
        picture: rows and columns of the picture that a call gets, where the variant takes pictures.
    """

    variant: str
    provider: str = CPU
    threads: int = 1
    options: SessionOptions = field(default=DEFAULT_OPTIONS)
    picture: tuple[int, int] | None = None

    @property
    def picture_size(self) -> str | None:
        """Width and height of the picture, in words."""
        return None if self.picture is None else f"{self.picture[1]}x{self.picture[0]}"

    def __str__(self) -> str:
        """Return it in words, with the options that are not the default."""
        words = [self.variant, short_name(self.provider), f"{self.threads} thread{'s' if self.threads > 1 else ''}"]
        default = DEFAULT_OPTIONS.as_dict()
        for name, value in self.options.as_dict().items():
            if value != default.get(name):
                said = name.replace("_", " ")
                words.append(value if isinstance(value, str) else f"no {said}" if value is False else f"{value} {said}")
        if self.picture_size is not None:
            words.append(f"{self.picture_size} picture")
        return ", ".join(words)


class Opened:
    """A configuration with its session.

    Args:
        files: of the model.
        configuration: what to open.

    Raises:
        ProviderError: the provider does not run it, or runs it wrong.
    """

    def __init__(self, files: ModelFiles, configuration: Configuration) -> None:
        self.configuration = configuration
        self.session = open_variant(
            files,
            configuration.variant,
            configuration.provider,
            threads=configuration.threads,
            options=configuration.options,
        ).session
        self._manifest = files.manifest
        self._is_logits = files.manifest.output.kind == "logits" and not isinstance(self.session, EmbeddedModel)

    def call(self, batch: Feeds) -> Callable[[], object]:
        """Return a function that answers a batch; one picture is the batch of a model with its preparation inside."""
        if isinstance(self.session, EmbeddedModel):
            return partial(self.session.answer, next(iter(batch.values()))[0])
        if self._manifest.takes_picture:
            return partial(self.session.run, next(iter(batch.values())))
        return partial(self.session.run_arrays, batch)

    def arrays(self, batch: Feeds) -> dict[str, NDArray[Any]]:
        """Answer arrays by the names of inputs: arrays by those of outputs, as the model gives them."""
        if isinstance(self.session, EmbeddedModel):
            raise TypeError("a variant that takes pictures takes no arrays")
        return self.session.run_arrays(batch)

    def probabilities(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Answer images: float32, (n, classes)."""
        answers = self.session.run(images)
        return softmax(answers) if self._is_logits else answers


def usable_configurations(files: ModelFiles, progress: Progress, device: str = "auto") -> list[Configuration]:
    """Return every variant that is there on every provider that runs it, with one thread; say what is left out.

    Args:
        files: of the model.
        progress: hears what is left out, and why.
        device: ``"auto"`` for every provider; ``"cpu"``, ``"gpu"`` or a provider for these alone.

    Raises:
        ArtifactError: no variant is there.
        ChecksumError: a file is not the one that the manifest names.
        ConfigError: there is no such device.
        ProviderError: a device was asked for, and runs none of the variants.
    """
    found, reasons = [], []
    providers = available_providers() if device == "auto" else providers_for(device)
    for name in files.variants:
        if files.path.is_dir() and not (files.path / files.manifest.variants[name].file).is_file():
            progress.say(f"{name} is left out: {files.manifest.variants[name].file} is not there.")
            continue
        for provider in providers:
            try:
                open_variant(files, name, provider)
            except (ProviderError, InputError) as error:
                reasons.append(str(error))
                progress.say(f"{name} on {short_name(provider)} is left out: {error}")
            else:
                found.append(Configuration(name, provider))
    if not found and reasons and device != "auto":
        raise ProviderError(reasons[0])
    if not found:
        raise ArtifactError(f"`{files.path}` must hold a model that runs here. Received: none. Export it again.")
    return found


def on_pictures(configuration: Configuration) -> tuple[Configuration, ...]:
    """Return one configuration per picture size to time; itself where the variant takes prepared images."""
    if not takes_pictures(configuration.variant):
        return (configuration,)
    return tuple(replace(configuration, picture=size) for size in PICTURES)


def thread_counts(cores: int) -> tuple[int, ...]:
    """Return 1 to `cores`: all up to four, then the powers of two, and `cores` itself.

    Example:
        >>> thread_counts(12)
        (1, 2, 3, 4, 8, 12)
    """
    powers = [2**power for power in range(3, cores.bit_length())]
    return tuple(sorted({*range(1, min(cores, 4) + 1), *powers, cores}))


def batch_sizes(manifest: Manifest, largest: int, variant: str) -> tuple[int, ...]:
    """Return the powers of two up to `largest`, or the one size that the file takes.

    Raises:
        ConfigError: `largest` is below 1.
    """
    if largest < 1:
        raise ConfigError(f"`max_batch` must be at least 1. Received: {largest}. Leave it out for 16.")
    fixed = manifest.input.shape[0]
    if takes_pictures(variant) or manifest.input.kind == "picture":
        return (1,)
    if isinstance(fixed, int):
        return (fixed,)
    return tuple(2**power for power in range(largest.bit_length()))


def gated(manifest: Manifest, names: Sequence[str]) -> list[str]:
    """Return the variants that were checked against Keras at the export; one that failed was not written."""
    stages = {gate.stage for gate in manifest.parity.gates} if manifest.parity else set()
    return [name for name in names if name in stages]
