"""What a model needs and this Keras does not have: all of it in one message, with the options that bring it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgeconv.conversion.keras.archive.wording import shown
from edgeconv.errors import UnsupportedModelError

STRIPPED_BY = {
    "PruneLowMagnitude": "tfmot.sparsity.keras.strip_pruning",
    "ClusterWeights": "tfmot.clustering.keras.strip_clustering",
    "ClusterWeightsRNN": "tfmot.clustering.keras.strip_clustering",
    "ClusterWeightsMHA": "tfmot.clustering.keras.strip_clustering",
}
"""Wrappers that TensorFlow Model Optimization puts around layers for the training, and what takes them off."""

FAKE_QUANTIZED = {"QuantizeAnnotate", "QuantizeLayer", "QuantizeWrapper", "QuantizeWrapperV2"}
"""Its wrappers of quantization-aware training, where they are none that `without_wrappers` takes off."""

NOWHERE = {None, "builtins", "__main__"}
"""What a file names as the module of an object that was made in a notebook or script, or registered under a name."""

LONGEST = 400
MOST = 50
"""Characters of a name, and names, that a message has at most; what is longer was made to harm."""


@dataclass(frozen=True)
class Missing:
    """A class or function that is not Keras'.

    Attributes:
        name: as its module calls it.
        registered: as it is registered, such as ``"keras_hub>BertBackbone"``, or its name again.
        module: that the file names, or None.
        layer: the name of the layer that it is, or belongs to.
        is_function: whether it is no class.
    """

    name: str
    registered: str
    module: str | None
    layer: str
    is_function: bool

    @property
    def full_name(self) -> str:
        """With its module or package."""
        if self.module is None or (self.module in NOWHERE and ">" in self.registered):
            return self.registered
        return f"{self.module}.{self.name}"

    @property
    def package(self) -> str:
        """What it is registered under; its name where it is not registered."""
        return self.registered.partition(">")[0]

    @property
    def option(self) -> str | None:
        """What `--custom-objects` takes for it; None where it has a name that no Python object has."""
        name = self.name.rpartition(">")[2]
        module = self.module
        if self.is_function or module is None or module in NOWHERE:
            return f"your_module:{name}" if name.isidentifier() else None
        parts = module.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        # A library registers its classes when it is imported, wherever they lie in it.
        of_library = "src" in parts[1:] or self.package == parts[0]
        return parts[0] if of_library else module


def missing_objects(path: Path, found: Iterable[Missing]) -> UnsupportedModelError:
    """Return the error that names all that is missing, and says how to bring it.

    Args:
        path: what the error calls the file.
        found: in the order of the model, at least one; the first of a name counts.
    """
    by_name: dict[str, Missing] = {}
    for missing in found:
        by_name.setdefault(missing.full_name, missing)
    needed = list(by_name.values())
    for missing in needed:
        name = missing.name.rpartition(">")[2]
        if name in STRIPPED_BY or name in FAKE_QUANTIZED:
            return _wrapped(path, missing, name)
    listed = [_sentence(missing, first=position == 0) for position, missing in enumerate(needed[:MOST])]
    more = f", and {len(needed) - MOST} more" if len(needed) > MOST else ""
    what = "it is yours or of a library" if len(needed) == 1 else "these are yours or of a library"
    return UnsupportedModelError(
        f"`{path}` must consist of what this Keras knows. Received: {', '.join(listed)}{more}. If {what}, "
        f"{_advice(path, needed)}; if of another version of Keras, save the model again with this one."
    )


def _sentence(missing: Missing, *, first: bool) -> str:
    where = f"the layer {shown(missing.layer)}" if missing.layer else "the model"
    kind = "function" if missing.is_function else "class"
    return f"{where} {'needs ' if first else ''}the {kind} {shown(missing.full_name, LONGEST)}"


def _advice(path: Path, needed: list[Missing]) -> str:
    found = {missing.option for missing in needed}
    # A library's functions are registered under its name, without a module.
    options = list(dict.fromkeys(each.package if each.package in found else each.option for each in needed))
    named = [option for option in options if option is not None and len(option) <= LONGEST]
    if len(named) < len(options) or len(named) > MOST:
        return "name their modules with `--custom-objects module`"
    command = " ".join(["edgeconv export", shlex.quote(str(path)), *(f"--custom-objects {each}" for each in named)])
    placeholder = any(option.startswith("your_module:") for option in named)
    return f"run `{command}`{', where your_module.py defines it' if placeholder else ''}"


def _wrapped(path: Path, missing: Missing, name: str) -> UnsupportedModelError:
    remedy = (
        f"Save `{STRIPPED_BY[name]}(model)` instead"
        if name in STRIPPED_BY
        else "Save what `quantize_model` makes with its 8-bit scheme as `.h5`, whose ranges int8 takes; or the model "
        "without it, and let `--quantize` find them; in Keras 3, `edgeconv.fake_quantize` trains it for that"
    )
    return UnsupportedModelError(
        f"`{path}` must be saved without the wrappers of its training. Received: the layer {shown(missing.layer)}, a "
        f"{name} of TensorFlow Model Optimization. {remedy}."
    )
