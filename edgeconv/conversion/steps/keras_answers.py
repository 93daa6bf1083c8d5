"""What Keras itself answers, before anything is converted: better than chance, and the same with the user's loader?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras.loaders import answers_to_files
from edgeconv.conversion.steps.loading import LoadedModel
from edgeconv.errors import ConfigError
from edgeconv.parity.classes import wilson
from edgeconv.parity.comparison import ComparisonSet

LOOKED_AT = 256
"""Images that tell chance from knowledge: at 10 classes a network that answers 16 of 100 right is above it."""


def say_if_at_chance(loaded: LoadedModel, compared: ComparisonSet | None) -> None:
    """Say so where Keras answers no more images right than chance: a proof of parity is worth nothing then."""
    if compared is None or compared.labels is None or not loaded.reference.is_classifier:
        return
    # Images often lie in the order of their classes.
    chosen = np.unique(np.linspace(0, compared.count - 1, LOOKED_AT).astype(np.int64))
    told = loaded.reference.predict(compared.images[chosen]).argmax(axis=1)
    right, classes = int((told == compared.labels[chosen]).sum()), loaded.reference.classes
    if wilson(right, len(chosen))[0] <= 1.0 / classes:
        loaded.resolved.request.progress.say(
            f"Keras itself answers {right} of {len(chosen)} right, no better than chance: the pixels are not what the "
            "model was trained on, or the classes are in another order. State `--input-range`, and look at the data."
        )


def answers_from_files(loaded: LoadedModel, compared: ComparisonSet | None) -> NDArray[np.float32] | None:
    """Return Keras' answers to the files of the test images, read by the user's own loader; None where none is named.

    Raises:
        ConfigError: the test images are no files.
    """
    loader, data, progress = loaded.resolved.request.config.loader, loaded.data, loaded.resolved.request.progress
    if loader is None:
        return None
    if data is None or compared is None or not data.test_files:
        raise ConfigError(
            f"`loader` requires data that are files. Received: {data.source if data else 'none'}. Name a folder with "
            "one subfolder of pictures a class with `--dataset`."
        )
    parts = []
    with progress.bar(f"Keras, as {loader} reads", len(data.test_files)) as advance:
        for answers in answers_to_files(loaded.reference, data.test_files, loader):
            parts.append(answers)
            advance(len(answers), "")
    return np.concatenate(parts)
