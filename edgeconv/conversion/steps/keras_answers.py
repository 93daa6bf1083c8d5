"""What Keras itself answers, before anything is converted: better than chance, and the same with the user's loader?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.detection.stages import found_in
from edgeconv.conversion.keras import KerasReference
from edgeconv.conversion.keras.loaders import answers_to_files
from edgeconv.errors import ConfigError
from edgeconv.fitting import Fitting
from edgeconv.parity.comparison import Answers, ComparisonSet, Feeds
from edgeconv.parity.intervals import wilson
from edgeconv.parity.stage import Stage, in_batches
from edgeconv.progress import Progress

LOOKED_AT = 256
"""Images that tell chance from knowledge: at 10 classes a network that answers 16 of 100 right is above it."""


def keras_stage(reference: KerasReference, size_bytes: int) -> Stage:
    """Return Keras as a stage that is compared by values; a detector's answers have what numpy finds in them, too.

    Args:
        reference: the model.
        size_bytes: of its own file.
    """
    layout, run = reference.boxes, in_batches(reference.run, reference.batch or reference.interface.declared_batch)

    def detect(feeds: Feeds) -> Answers:
        return run(feeds) if layout is None else found_in(run(feeds), feeds, layout)

    return Stage("keras", "tensorflow", detect, size_bytes, timed=False)


def say_if_at_chance(reference: KerasReference, compared: ComparisonSet | None, progress: Progress) -> None:
    """Say so where Keras answers no more images right than chance: a proof of parity is worth nothing then."""
    if compared is None or compared.labels is None or not reference.is_classifier:
        return
    # Images often lie in the order of their classes.
    chosen = np.unique(np.linspace(0, compared.count - 1, LOOKED_AT).astype(np.int64))
    told = reference.predict(compared.images[chosen]).argmax(axis=1)
    right, classes = int((told == compared.labels[chosen]).sum()), reference.classes
    # Of a few images most may be right, and prove nothing either way.
    if wilson(right, len(chosen))[0] <= 1.0 / classes and 2.0 * right / len(chosen) < 1.0 + 1.0 / classes:
        progress.say(
            f"Keras itself answers {right} of {len(chosen)} right, no better than chance: the pixels are not what the "
            "model was trained on, pictures were fitted otherwise, or the classes are in another order. State "
            "`--input-range` and `--fit`, and look at the data."
        )


def answers_from_files(
    reference: KerasReference, files: Sequence[Path], loader: str, fitting: Fitting, progress: Progress
) -> NDArray[np.float32]:
    """Return Keras' answers to the files of labelled images, read by the user's own loader, (n, classes).

    Args:
        reference: the model.
        files: the pictures; none where the images are no files.
        loader: a function of the user's, or one of Keras' loaders.
        fitting: the options of the latter.
        progress: sees a bar.

    Raises:
        ConfigError: the images are no files.
    """
    if not files:
        raise ConfigError(
            "`loader` requires data that are files. Received: none. Name a folder with one subfolder of pictures a "
            "class with `--dataset`."
        )
    parts = []
    with progress.bar(f"Keras, as {loader} reads", len(files)) as advance:
        for answers in answers_to_files(reference, files, loader, fitting):
            parts.append(answers)
            advance(len(answers), "")
    return np.concatenate(parts)
