"""A file of Keras 2 opened: by Keras 3 from the translated config, else by Keras 2 itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from edgeconv.conversion.keras.archive import LEGACY_SUFFIXES, SavedConfig
from edgeconv.conversion.keras.legacy.quantize_wrappers import with_fake_quantization
from edgeconv.conversion.keras.legacy.tf_keras import is_installed, open_by_tf_keras
from edgeconv.conversion.keras.legacy.translation import translate
from edgeconv.conversion.keras.legacy.weights import check_order, load_weights
from edgeconv.errors import UnsupportedModelError, one_line


def open_keras2(path: Path, saved: SavedConfig, *, unsafe: bool, custom_objects: Mapping[str, Any]) -> Any:
    """Return the model of a file that Keras 2 wrote, as a Keras 3 model.

    Args:
        path: a `.h5` or `.keras` file that `check_archive` let pass.
        saved: what it says of its model.
        unsafe: run the code that the file carries.
        custom_objects: the user's classes and functions by name.

    Raises:
        UnsupportedModelError: Keras 3 has no equal of it, and Keras 2 is not installed.
    """
    try:
        return open_by_keras3(path, saved, custom_objects)
    except Exception as error:  # Keras raises whatever a config of another version makes it raise.
        if saved.wrapped:
            raise UnsupportedModelError(
                f"`{path}` must have layers that Keras 3 has in the wrappers of `quantize_model`. Received: "
                f"{one_line(error)}. Save the model without it, and let `--quantize` find the ranges."
            ) from error
        if is_installed():
            return open_by_tf_keras(path, unsafe=unsafe, custom_objects=custom_objects)
        raise UnsupportedModelError(
            f"`{path}` was saved by Keras {saved.keras_version or 1} and Keras 3 cannot open it. Received: "
            f"{one_line(error)}. Install Keras 2 beside it: `pip install 'edgeconv[legacy]'`."
        ) from error


def open_by_keras3(path: Path, saved: SavedConfig, custom_objects: Collection[str] = ()) -> Any:
    """Return the model that Keras 3 makes of the translated config, with the weights of the file.

    Raises:
        Untranslatable: Keras 3 has no equal of a layer.
        ValueError: the weights do not fit.
    """
    import keras

    config = translate(json.loads(saved.text), custom_objects)
    model = keras.saving.deserialize_keras_object(config)
    if path.suffix in LEGACY_SUFFIXES:
        load_weights(path, model, saved.wrapped)
        if saved.wrapped:
            model = with_fake_quantization(path, model, saved.wrapped)
    else:
        check_order(model, config)
        model.load_weights(path)
    return model
