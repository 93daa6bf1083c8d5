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
