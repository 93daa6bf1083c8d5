"""How the user's own code reads a picture for the network: a function of theirs, or one of Keras' loaders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras.pixels import Pixels
from edgeconv.conversion.keras.reference import KerasReference
from edgeconv.errors import ConfigError, DatasetError, one_line
from edgeconv.fitting import KERAS_DIRECTORY, KERAS_LOAD_IMG, LOADERS, Fitting
from edgeconv.importing import import_function

BATCH = 32

Loader = Callable[[str], Any]
"""The path of a picture to an array, (height, width, channels), as the network takes it."""


def answers_to_files(
    reference: KerasReference, files: Sequence[Path], loader: str, fitting: Fitting
) -> Iterator[NDArray[np.float32]]:
    """Yield a classifier's answers to pictures that are read by their own loader, (n, classes) at a time.

    Args:
        reference: the classifier.
        files: the pictures.
        loader: one of `LOADERS`, or a function of the user's as ``"module:function"``, which is given a path and
            returns what the network is given.
        fitting: the options of a loader of Keras.

    Raises:
        ConfigError: the function cannot be imported, or the network has no size that pictures become.
        DatasetError: a picture cannot be read so.
    """
    own = loader not in LOADERS
    load = _imported(loader) if own else _of_keras(reference, loader, fitting)
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
            f"`loader` must be module:function, or {' or '.join(LOADERS)}. Received: {loader!r}. Try `train:load`."
        )
    return import_function(loader, option="loader")


def _of_keras(reference: KerasReference, loader: str, fitting: Fitting) -> Loader:
    height, width, channels = reference.interface.inputs[0].shape
    if height is None or width is None or channels is None:
        raise ConfigError(
            f"`loader` {loader} requires a network that has a size. Received: `{reference.path}` with an open one. "
            "Name a function of yours, module:function."
        )
    return keras_loader(loader, (height, width), channels, fitting)


def keras_loader(loader: str, size: tuple[int, int], channels: int, fitting: Fitting) -> Loader:
    """Return one of Keras' loaders, as its own function reads a file.

    Args:
        loader: one of `LOADERS`.
        size: height and width that pictures become.
        channels: that they are read with, 1, 3 or 4.
        fitting: its options; one that it does not have is left out.
    """
    return {KERAS_DIRECTORY: _keras_directory, KERAS_LOAD_IMG: _keras_load_img}[loader](size, channels, fitting)


def _keras_directory(size: tuple[int, int], channels: int, fitting: Fitting) -> Loader:
    """Return what `keras.utils.image_dataset_from_directory` does with a file, which never antialiases."""
    import keras
    import tensorflow as tf

    method = fitting.interpolation

    def load(path: str) -> Any:
        picture = tf.image.decode_image(tf.io.read_file(path), channels=channels, expand_animations=False)
        if fitting.fit == "crop":
            return keras.preprocessing.image.smart_resize(picture, size, interpolation=method)
        if fitting.fit == "pad":
            return tf.image.resize_with_pad(picture, *size, method=method)
        return tf.image.resize(picture, size, method=method)

    return load


def _keras_load_img(size: tuple[int, int], channels: int, fitting: Fitting) -> Loader:
    """Return what `keras.utils.load_img` makes of a file, which Pillow resizes; `flow_from_directory` calls it."""
    import keras

    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    names = {"pillow-nearest": "nearest", "lanczos3": "lanczos"}
    interpolation = names.get(str(fitting.interpolation), fitting.interpolation)
    crops = fitting.fit == "crop"

    def load(path: str) -> Any:
        image = keras.utils.load_img(
            path, color_mode=mode, target_size=size, interpolation=interpolation, keep_aspect_ratio=crops
        )
        return keras.utils.img_to_array(image)

    return load
