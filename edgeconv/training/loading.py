"""Keras files: read without running their code, written the same for the same weights."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import keras

from edgeconv.errors import ConfigError, one_line
from edgeconv.fake_quantization import fake_quantization_layers

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time a zip can state."""


def load_base(path: Path) -> keras.Model:
    """Load a trained model without running code from its file.

    Args:
        path: a `.keras` file.

    Returns:
        A model with one input and one output, uncompiled.

    Raises:
        ConfigError: no such file, a damaged one, one that needs code of its own, or not one input and one output.
    """
    if path.suffix != ".keras" or not path.is_file():
        raise ConfigError(f"`base` must be a .keras file. Received: {path}, which is none. Correct the path.")
    fake_quantization_layers(keras)  # Registered, so that Keras knows them in the file.
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the damaged part of the file led to.
        raise ConfigError(
            f"`base` must be a sound .keras file. Received: {path}: {one_line(error)}. Save the model again."
        ) from error
    if is_fake_quantized(model):
        raise ConfigError(
            f"`base` must be a model in float. Received: {path}, which was trained to be int8. Give the model that it "
            "was made from, and `--qat`."
        )
    ends = [len(getattr(model, end, None) or ()) for end in ("inputs", "outputs")]
    if ends != [1, 1]:
        raise ConfigError(
            f"`base` must be a Sequential or functional model with one input and one output. Received: {path}, a "
            f"{type(model).__name__} with {ends[0]} and {ends[1]}. Build it with the functional API."
        )
    return model


def is_fake_quantized(model: keras.Model) -> bool:
    """Tell whether `fake_quantize` made a model."""
    own = fake_quantization_layers(keras)
    return any(isinstance(layer, own.range | own.weights) for layer in model._flatten_layers())


def save_model(model: keras.Model, path: Path) -> None:
    """Write an uncompiled model as a `.keras` file. The same weights give the same bytes: no date is written.

    Args:
        model: its layers and weights are written.
        path: ends in `.keras`; what is there is overwritten.
    """
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(files["metadata.json"])
    metadata.pop("date_saved", None)
    files["metadata.json"] = json.dumps(metadata).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
