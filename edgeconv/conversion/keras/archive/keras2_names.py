"""What Keras 2 calls things that Keras 3 has no longer, or calls otherwise."""

from __future__ import annotations

import re

MODULE = re.compile(
    r"(tf_)?keras(\.src)?(\.(engine|layers|models|activations|initializers|regularizers|constraints|losses|metrics"
    r"|mixed_precision|optimizers)(\.\w+)*)?|tensorflow\.python\.ops\.init_ops(_v2)?"
)
"""Full match: the name of a module whose classes models of Keras 2 are made of."""

LACKED = frozenset(
    {
        "LocallyConnected1D",
        "LocallyConnected2D",
        "Model",
        "SlicingOpLambda",
        "SyncBatchNormalization",
        "TFOpLambda",
        "TensorFlowOpLayer",
        "ThresholdedReLU",
    }
)
"""Classes of Keras 2 that Keras 3 lacks, and that compute nothing but what they are documented to."""

VALUES = frozenset({"__tuple__", "__ellipsis__", "TypeSpec", "TensorShape"})
"""What Keras 2 writes like an object and is a plain value."""

OF_APPLICATIONS = {
    "CustomScaleLayer": "inception_resnet_v2",
    "LayerScale": "convnext",
    "StochasticDepth": "convnext",
}
"""Layers that a family of keras.applications defines for itself, with its module, in Keras 2 as in 3."""

_NAMED_BY_APPLICATIONS = re.compile(r".*_block_\d+_(layer_scale|stochastic_depth)|custom_scale_layer(_\d+)?")
"""Full match: what these families call the layers; a `.h5` file says nothing else of whose class it is."""

KNOWN = LACKED | VALUES | {"Policy", "PolicyV1"}
"""All names of classes that Keras 3 does not know."""

FUNCTION_LAYERS = frozenset({"TFOpLambda", "SlicingOpLambda"})
"""Layers that call one function of TensorFlow."""

CALLED_BY_NAME = {
    "ClassMethod": "calls a method of TensorFlow by its name",
    "InstanceMethod": "calls a method of a tensor by its name",
    "InstanceProperty": "reads an attribute of a tensor by its name",
}
"""Layers that may call anything that TensorFlow has."""


def is_of_applications(name: str, module: str | None, layer: str) -> bool:
    """Tell whether a class is one of keras.applications' own, rather than the user's of the same name.

    Example:
        >>> is_of_applications("LayerScale", None, "convnext_tiny_stage_0_block_1_layer_scale")
        True
        >>> is_of_applications("LayerScale", None, "my_scale")
        False
    """
    if name not in OF_APPLICATIONS:
        return False
    if module is None:
        return _NAMED_BY_APPLICATIONS.fullmatch(layer) is not None
    return module in {f"{package}.src.applications.{OF_APPLICATIONS[name]}" for package in ("keras", "tf_keras")}
