"""The loss that a model was compiled with, read from its file as data: nothing of it is built or run."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLASSES = {"categorical_crossentropy", "sparse_categorical_crossentropy", "categorical_focal_crossentropy"}
"""Losses of one class of many."""

BINARY = {"binary_crossentropy", "binary_focal_crossentropy"}
"""Losses of answers that are each yes or no."""

VALUES = {
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
}
"""Losses of numbers."""

EMBEDDING = {"cosine_similarity"}
"""Losses of directions."""

_SHORT = {
    "bce": "binary_crossentropy",
    "logcosh": "log_cosh",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}


@dataclass(frozen=True)
class Loss:
    """A loss by the name that Keras has for its function.

    Attributes:
        name: such as ``"binary_crossentropy"``.
        from_logits: whether it takes scores before their softmax or sigmoid; None where the file does not say.
    """

    name: str
    from_logits: bool | None = None

    @property
    def task(self) -> str | None:
        """What a row of several answers is by this loss, or None where it does not tell."""
        rows = ((CLASSES, "classes"), (BINARY, "tags"), (VALUES, "values"), (EMBEDDING, "embedding"))
        return next((task for names, task in rows if self.name in names), None)

    @classmethod
    def of(cls, value: Any) -> Loss | None:
        """Read one loss as Keras writes it; None where there are none, or several that differ.

        Example:
            >>> Loss.of({"class_name": "BinaryCrossentropy", "config": {"from_logits": True}})
            Loss(name='binary_crossentropy', from_logits=True)
            >>> Loss.of("mse").name
            'mean_squared_error'
        """
        if isinstance(value, str):
            return cls(_function_name(value))
        if isinstance(value, Mapping) and "class_name" in value:
            config = value.get("config")
            if isinstance(config, str):  # A function: its name is its config.
                return cls(_function_name(config))
            logits = config.get("from_logits") if isinstance(config, Mapping) else None
            return cls(_function_name(str(value["class_name"])), logits if isinstance(logits, bool) else None)
        parts = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
        found = {cls.of(part) for part in parts}
        return found.pop() if len(found) == 1 else None

    @classmethod
    def of_each(cls, value: Any, outputs: Sequence[str]) -> list[Loss | None]:
        """Read the loss of each of several outputs: by their names, in their order, or one for all.

        Example:
            >>> [loss and loss.name for loss in Loss.of_each({"b": "mse"}, ["a", "b"])]
            [None, 'mean_squared_error']
        """
        if isinstance(value, Mapping) and "class_name" not in value:
            return [cls.of(value.get(name)) for name in outputs]
        if isinstance(value, list) and len(value) == len(outputs):
            return [cls.of(part) for part in value]
        return [cls.of(value)] * len(outputs)


def compiled_losses(path: Path, outputs: Sequence[str]) -> list[Loss | None]:
    """Return the loss that a `.keras` or `.h5` file or a SavedModel names for each output, None where it names none."""
    try:
        config = _compile_config(path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        config = None
    value = config.get("loss") if isinstance(config, Mapping) else None
    return Loss.of_each(value, outputs) if len(outputs) > 1 else [Loss.of(value)]


def _compile_config(path: Path) -> Any:
    if path.is_dir():
        return _of_saved_model(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        return config.get("compile_config")
    import h5py

    with h5py.File(path, "r") as file:
        return json.loads(file.attrs["training_config"])


def _of_saved_model(folder: Path) -> Any:
    """Return what Keras 2 writes of the training, the whole model's first, as JSON among the fields of a message."""
    written = folder / "keras_metadata.pb"  # Before TensorFlow 2.5 it was in the graph's own file.
    text = (written if written.is_file() else folder / "saved_model.pb").read_text("utf-8", errors="ignore")
    found = re.search(r'"training_config": (?=\{)', text)
    return json.JSONDecoder().raw_decode(text, found.end())[0] if found else None


def _function_name(name: str) -> str:
    """Return the name of a loss's function, of that or of its class, short or long."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(">")[2]).lower()
    return _SHORT.get(snake, snake)
