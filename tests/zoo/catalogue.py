"""The models of `keras.applications`, found by looking into its modules: one that Keras adds is here at once.

    python -m tests.zoo.catalogue

prints their names, the largest last.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from edgeconv.quiet import native_log_held_back

SMALL = {
    "convnext": ("ConvNeXtTiny", 64),
    "densenet": ("DenseNet121", 64),
    "efficientnet": ("EfficientNetB0", 64),
    "efficientnet_v2": ("EfficientNetV2B0", 64),
    "inception_resnet_v2": ("InceptionResNetV2", 75),
    # Random weights at 75 pixels make much of the order of sums: 1.1e-3 of the spread on a processor with AVX-512.
    "inception_v3": ("InceptionV3", 128),
    "mobilenet": ("MobileNet", 64),
    "mobilenet_v2": ("MobileNetV2", 64),
    "mobilenet_v3": ("MobileNetV3Small", 64),
    "nasnet": ("NASNetMobile", 64),
    "resnet": ("ResNet50", 64),
    "resnet_v2": ("ResNet50V2", 64),
    "vgg16": ("VGG16", 32),
    "vgg19": ("VGG19", 32),
    "xception": ("Xception", 71),
}
"""The smallest model of each family, and pixels a side that it allows and that run fast."""

LAST = (
    "EfficientNetB5",
    "EfficientNetV2M",
    "EfficientNetB6",
    "ConvNeXtBase",
    "NASNetLarge",
    "EfficientNetV2L",
    "EfficientNetB7",
    "ConvNeXtLarge",
    "ConvNeXtXLarge",
)
"""The largest, least first: a run over all models comes to them at its end."""


def constructors() -> dict[str, Callable[..., Any]]:
    """Return every public function that makes a model, by its name, the largest last."""
    with native_log_held_back():
        from keras import applications

    modules = [applications, *(item for _, item in inspect.getmembers(applications, inspect.ismodule))]
    found = {
        name: item
        for module in modules
        for name, item in inspect.getmembers(module, inspect.isfunction)
        if "weights" in inspect.signature(item).parameters
    }
    return {name: found[name] for name in sorted(found, key=lambda name: LAST.index(name) + 1 if name in LAST else 0)}


def family_of(constructor: Callable[..., Any]) -> str:
    """Return the name of the module that defines a constructor, such as ``"mobilenet_v3"``."""
    return constructor.__module__.rsplit(".", 1)[-1]


def families() -> dict[str, list[str]]:
    """Return the names of the models of each family."""
    grouped: dict[str, list[str]] = {}
    for name, constructor in constructors().items():
        grouped.setdefault(family_of(constructor), []).append(name)
    return grouped


def module_of(constructor: Callable[..., Any]) -> ModuleType:
    """Return the module that defines a constructor, and with it the family's `preprocess_input`."""
    return sys.modules[constructor.__module__]


if __name__ == "__main__":
    print("\n".join(constructors()))
