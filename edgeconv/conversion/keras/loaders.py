"""How the user's own code reads a picture for the network: a function of theirs, or Keras' loader of folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras.custom_objects import import_custom_objects
from edgeconv.conversion.keras.pixels import Pixels
from edgeconv.conversion.keras.reference import KerasReference
from edgeconv.errors import ConfigError, DatasetError, one_line
from edgeconv.preparation import KERAS_DIRECTORY

BATCH = 32

Loader = Callable[[str], Any]
"""The path of a picture to an array, (height, width, channels), as the network takes it."""


def answers_to_files(reference: KerasReference, files: Sequence[Path], loader: str) -> Iterator[NDArray[np.float32]]:
    """Yield a classifier's answers to pictures that are read by their own loader, (n, classes) at a time.

    Args:
        reference: the classifier.
        files: the pictures.
        loader: ``"keras-directory"``, as `keras.utils.image_dataset_from_directory` reads them, or a function of the
            user's as ``"module:function"``, which is given a path and returns what the network is given.

    Raises:
        ConfigError: the function cannot be imported, or the network has no size that pictures become.
        DatasetError: a picture cannot be read so.
    """
    own = loader != KERAS_DIRECTORY
    load = _imported(loader) if own else _keras_directory(reference)
    # What the user's code returns is scaled by that.
    called = replace(reference, pixels=Pixels()) if own else reference
    for start in range(0, len(files), BATCH):
        arrays = np.concatenate([_loaded(load, path, reference) for path in files[start : start + BATCH]])
        answer = called.call(reference.model, [arrays])[0]
        yield np.asarray(answer, np.float32)


def _loaded(load: Loader, path: Path, reference: KerasReference) -> NDArray[Any]:
    port = reference.interface.inputs[0]
    try:
        array = np.asarray(load(str(path)))
    except Exception as error:  # Code of the user's own, or TensorFlow's, which reads fewer formats.
        raise DatasetError(
            f"`loader` must read every picture. Received: {path}: {type(error).__name__}: {one_line(error)}. Correct "
            "it, or remove the file."
        ) from error
    array = array[None] if array.ndim == len(port.shape) else array
    if not port.fits(array.shape) or len(array) != 1:
        raise ConfigError(
            f"`loader` must return what the network takes, {port.shape}. Received: {array.shape} of {path}. Correct it."
        )
    return np.rint(array).astype(np.uint8) if port.dtype == "uint8" else array.astype(port.dtype)


def _imported(loader: str) -> Loader:
    name = loader.rpartition(":")[2]
    if not name or name == loader:
        raise ConfigError(
            f"`loader` must be module:function, or {KERAS_DIRECTORY}. Received: {loader!r}. Try `train:load`."
        )
    try:
        function = import_custom_objects([loader])[name]
    except ConfigError as error:
        raise ConfigError(str(error).replace("`custom_objects`", "`loader`")) from error
    if not callable(function):
        raise ConfigError(f"`loader` must name a function. Received: {loader!r}, which is none. Correct the name.")
    return function  # type: ignore[no-any-return]  # What it returns is checked.


def _keras_directory(reference: KerasReference) -> Loader:
    """Return what `keras.utils.image_dataset_from_directory` does with a file: stretched, bilinear, not antialiased."""
    import tensorflow as tf

    height, width, channels = reference.interface.inputs[0].shape
    if height is None or width is None:
        raise ConfigError(
            f"`loader` {KERAS_DIRECTORY} requires a network that has a size. Received: `{reference.path}` with an open "
            "one. Name a function of yours, module:function."
        )

    def load(path: str) -> Any:
        decoded = tf.io.decode_image(tf.io.read_file(path), channels=channels, expand_animations=False)
        return tf.image.resize(decoded, (height, width), method="bilinear")

    return load
