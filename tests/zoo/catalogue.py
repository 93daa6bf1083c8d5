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
    "convnext": ("ConvNeXtTiny", 64, "convnext_tiny_stage_1_block_0_identity"),
    "densenet": ("DenseNet121", 64, "conv3_block3_concat"),
    "efficientnet": ("EfficientNetB0", 64, "block4a_project_bn"),
    "efficientnet_v2": ("EfficientNetV2B0", 64, "block4b_add"),
    "inception_resnet_v2": ("InceptionResNetV2", 75, "block35_2_ac"),
    # Random weights at 75 pixels make much of the order of sums: 1.1e-3 of the spread on a processor with AVX-512.
    "inception_v3": ("InceptionV3", 128, "mixed4"),
    "mobilenet": ("MobileNet", 64, None),
    "mobilenet_v2": ("MobileNetV2", 64, None),
    "mobilenet_v3": ("MobileNetV3Small", 64, None),
    "nasnet": ("NASNetMobile", 64, "normal_concat_0"),
    "resnet": ("ResNet50", 64, "conv3_block2_out"),
    "resnet_v2": ("ResNet50V2", 64, "conv3_block2_out"),
    "vgg16": ("VGG16", 32, None),
    "vgg19": ("VGG19", 32, "block4_pool"),
    "xception": ("Xception", 71, "block4_pool"),
}
"""The smallest model of each family, pixels a side that it allows and that run fast, and, of deep ones, a layer.

By that layer all kinds of the family's layers have occurred, and the rest repeats them: tests take the part up to it.
"""

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
