"""TensorFlow's SavedModel, as a Keras model of one layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeconv.errors import ArtifactError, UnsupportedModelError

ENDPOINT = "serving_default"


def open_saved_model(path: Path, *, unsafe: bool) -> Any:
    """Return a SavedModel as a Keras model, whose graph TensorFlow runs as it is.

    Args:
        path: the folder.
        unsafe: the user trusts the graph; it may read and write files.

    Raises:
        ArtifactError: the folder is no SavedModel.
        UnsupportedModelError: it is not trusted, or has no serving signature.
    """
    if not (path / "saved_model.pb").is_file():
        raise ArtifactError(
            f"`{path}` must be a SavedModel's folder. Received: a folder without `saved_model.pb`. Name a .keras file."
        )
    if not unsafe:
        raise UnsupportedModelError(
            f"`{path}` must be a model that loads without running its code. Received: a SavedModel, whose graph may "
            "read and write files. Save it with `model.save('model.keras')`, or trust it with `--unsafe`."
        )
    import keras
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures.get(ENDPOINT)
    if signature is None:
        raise UnsupportedModelError(
            f"`{path}` must have the signature `{ENDPOINT}`. Received: a SavedModel without it. Save it with "
            "`model.export`, or as a .keras file."
        )

    class Served(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
        """The signature; it holds what was loaded, which TensorFlow would let go."""

        def __init__(self) -> None:
            super().__init__(name="saved_model")
            self.loaded = loaded

        def call(self, inputs: Any) -> Any:
            return signature(**inputs)

    specs = signature.structured_input_signature[1]
    inputs = {
        name: keras.Input(batch_shape=spec.shape, dtype=spec.dtype.name, name=name) for name, spec in specs.items()
    }
    return keras.Model(inputs, Served()(inputs), name=path.name)
