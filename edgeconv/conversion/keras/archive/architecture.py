"""The config of a model, JSON: whose code each part of it would call, known before any of it is called."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeconv.conversion.keras.archive import keras2_names as keras2
from edgeconv.conversion.keras.archive.bit_widths import refuse_bit_widths_by_element
from edgeconv.conversion.keras.archive.classes import BUILTIN, FUNCTIONS, LITERALS, knows_class, knows_function
from edgeconv.conversion.keras.archive.missing import Missing, missing_objects
from edgeconv.conversion.keras.archive.sizes import check_sizes
from edgeconv.conversion.keras.archive.tensorflow_functions import is_plain_function, is_plain_operation
from edgeconv.conversion.keras.archive.wording import shown
from edgeconv.errors import ArtifactError, UnsupportedModelError, one_line
from edgeconv.fake_quantization import REGISTERED

LAMBDA = "__lambda__"
"""What Keras calls a Python function that lies in the file as byte code."""

FOREIGN = {
    "TFSMLayer": "runs a SavedModel from another folder",
    "TorchModuleWrapper": "unpickles a PyTorch module, which runs code",
    "JaxLayer": "runs a function of JAX",
    "FlaxLayer": "runs a module of Flax",
}
"""Layers whose computation is not Keras', and what loading one does."""

LOOKUPS = {"StringLookup", "IntegerLookup", "TextVectorization"}
"""Layers whose vocabulary may be the path of a file."""


@dataclass(frozen=True)
class Part:
    """A part of a model's config that Keras would make an object of.

    Attributes:
        config: the dict, with `class_name` and `config`.
        layer: the name of the layer that it is, or belongs to.
        legacy: whether it may be without a module, as in the `.h5` format.
        by_keras2: whether it may have the names of Keras 2.
    """

    config: dict[str, Any]
    layer: str
    legacy: bool
    by_keras2: bool = False

    @property
    def class_name(self) -> str:
        """Of the object."""
        return str(self.config["class_name"])

    @property
    def module(self) -> str | None:
        """Of the class, or None."""
        module = self.config.get("module")
        return None if module is None else str(module)


def check_architecture(
    path: Path, text: str | bytes, *, custom_objects: Collection[str], unsafe: bool, by_keras2: bool = False
) -> None:
    """Check that a model consists of Keras' own classes and of those that the user brings, and fits into memory.

    Args:
        path: what the errors call the file.
        text: the model's config, JSON.
        custom_objects: names that the user brings, with the package that they are registered under or without.
        unsafe: let pass what runs code when it is loaded.
        by_keras2: whether the file is of Keras 2, whose names are others.

    Raises:
        ArtifactError: the text is no config of a Keras model.
        UnsupportedModelError: names the layer that brings code, is too large or has bit widths by element, or all
            that nobody knows.
    """
    try:
        config = json.loads(text)
        if not isinstance(config, dict) or not {"class_name", "config"} <= set(config):
            raise ValueError("no model's config")
        # Keras leaves the training of the model out, and so may it be anyone's.
        config.pop("compile_config", None)
        found = _parts(config, "", legacy="module" not in config)
        parts = [replace(part, by_keras2=by_keras2) for part in found]
    except (ValueError, RecursionError) as error:
        raise ArtifactError(
            f"`{path}` must hold the config of a Keras model, JSON. Received: {one_line(error)}. "
            "Save the model again with `model.save`."
        ) from error
    for part in parts:
        _refuse_nameless(path, part, unsafe=unsafe)
        if not unsafe:
            _refuse_code(path, part)
        refuse_bit_widths_by_element(path, part.layer, _names(part)[1])
    check_sizes(path, [part.config for part in parts])
    # Last, since it imports Keras.
    missing = [_missing(part) for part in parts if not _is_known(part, custom_objects)]
    if missing:
        raise missing_objects(path, missing)


def _parts(value: Any, layer: str, *, legacy: bool) -> Iterator[Part]:
    """Yield what Keras would make objects of, from the outside in."""
    if isinstance(value, list):
        for element in value:
            yield from _parts(element, layer, legacy=legacy)
    elif isinstance(value, dict):
        if isinstance(value.get("class_name"), str) and "config" in value:
            inner = value["config"]
            if isinstance(inner, dict) and "name" in inner and not value["class_name"].endswith("DTypePolicy"):
                layer = str(inner["name"])
            yield Part(value, layer, legacy)
        for element in value.values():
            yield from _parts(element, layer, legacy=legacy)


def _refuse_nameless(path: Path, part: Part, *, unsafe: bool) -> None:
    """Refuse a lambda where Keras takes a function by its name."""
    inner = part.config["config"]
    if part.class_name == "Lambda" or not isinstance(inner, dict):
        return
    for option, value in inner.items():
        code = isinstance(value, dict) and value.get("class_name") == LAMBDA
        if _is_lost(value) or (code and not unsafe):
            trust = "; or, if you trust whoever made the file, pass `--unsafe`" if code else ""
            raise UnsupportedModelError(
                f"`{path}` must name its functions. Received: the layer {shown(part.layer)}, whose {shown(option)} is "
                "a lambda. Define a function in a module, under `@keras.saving.register_keras_serializable()`, build "
                f"and save the model with it, and pass `--custom-objects module`{trust}."
            )


def _is_lost(value: Any) -> bool:
    """Tell whether a value is what Keras 2 or 3 writes of a lambda and does not read again."""
    code = value.get("value") if isinstance(value, dict) and set(value) == {"value"} else None
    return value == "<lambda>" or (isinstance(code, list) and len(code) == 3 and isinstance(code[0], str))


def _refuse_code(path: Path, part: Part) -> None:
    inner = part.config["config"]
    function = inner.get("function") if isinstance(inner, dict) else None
    if part.class_name == LAMBDA or (part.class_name == "Lambda" and isinstance(function, list)):
        raise UnsupportedModelError(
            f"`{path}` must hold no code of its own. Received: the layer {shown(part.layer)} is a Lambda, whose Python "
            "code would run on this machine. Write it with Keras layers or `keras.ops`, or, if you trust whoever made "
            "the file, pass `--unsafe`."
        )
    if part.by_keras2:
        _refuse_functions(path, part, inner)
    if part.class_name in FOREIGN:
        raise UnsupportedModelError(
            f"`{path}` must consist of Keras layers. Received: the layer {shown(part.layer)}, a {part.class_name}, "
            f"which {FOREIGN[part.class_name]}. Replace it, or, if you trust whoever made the file, pass `--unsafe`."
        )
    if part.class_name in LOOKUPS and isinstance(inner, dict) and isinstance(inner.get("vocabulary"), str):
        raise UnsupportedModelError(
            f"`{path}` must hold its vocabularies itself. Received: the layer {shown(part.layer)} reads the file "
            f"{shown(inner['vocabulary'])}. Give the layer a list of words, and save the model again."
        )


def _refuse_functions(path: Path, part: Part, inner: Any) -> None:
    """Refuse what Keras 2 calls by a name in the file, unless it makes tensors of tensors and nothing else."""
    named = inner if isinstance(inner, dict) else {}
    what = keras2.CALLED_BY_NAME.get(part.class_name)
    if part.class_name in keras2.FUNCTION_LAYERS and not is_plain_function(str(named.get("function"))):
        what = f"calls TensorFlow's function {shown(named.get('function'))}"
    if part.class_name == "TensorFlowOpLayer" and not is_plain_operation(named.get("node_def")):
        what = "is a TensorFlowOpLayer of an operation that is not on the list of those that carry no code"
    if what is not None:
        raise UnsupportedModelError(
            f"`{path}` must call only functions that make tensors of tensors. Received: the layer {shown(part.layer)}, "
            f"which {what}. Replace it, or, if you trust whoever made the file, pass `--unsafe`."
        )


def _names(part: Part) -> tuple[str, str]:
    """Return what is looked up: the class or function, as it is called and as it is registered."""
    if part.class_name == "function":  # Registered under "function", as Keras writes it.
        return str(part.config["config"]), str(part.config["config"])
    return part.class_name, str(part.config.get("registered_name") or part.class_name)


def _is_known(part: Part, custom_objects: Collection[str]) -> bool:
    name, registered = _names(part)
    brought = {name, registered, *(full.rpartition(">")[2] for full in (name, registered))} & set(custom_objects)
    if brought or registered in REGISTERED or part.class_name in LITERALS or part.class_name == LAMBDA:
        return True
    if part.by_keras2 and keras2.is_of_applications(name.rpartition(">")[2], part.module, part.layer):
        return True
    if not _is_of_keras(part):
        return False
    if part.by_keras2 and part.class_name in keras2.KNOWN:
        return True
    if part.class_name == "function":
        return knows_function(name)
    return knows_class(None if part.by_keras2 else part.module, name)


def _is_of_keras(part: Part) -> bool:
    """Tell whether a part is said to be of a module of Keras, or of none where none is needed."""
    if part.module is None and part.legacy:
        return True
    if part.class_name == "function":
        return part.module in FUNCTIONS
    if part.by_keras2 and (part.class_name in keras2.VALUES or keras2.MODULE.fullmatch(part.module or "keras")):
        return True
    return bool(BUILTIN.fullmatch(part.module or ""))


def _missing(part: Part) -> Missing:
    return Missing(*_names(part), part.module, part.layer, part.class_name == "function")
