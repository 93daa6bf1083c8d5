"""Which tensors of a Keras model the int8 file rounds: those that ONNX Runtime's quantizer puts Q and DQ on.

It rounds what every operator makes, with a range of its own, except:

- behind a convolution, a Dense layer or a sum whose only reader is a ReLU, which the limits of the integers replace;
- what only moves or selects values (Reshape, MaxPool), which stays on the steps that it came on;
- averages of windows and resized maps, which are rounded to the steps of what they are made of;
- the softmax or sigmoid that gives the answer, and what it reads.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

REMOVABLE = {"relu", "relu6"}
"""Activations that are nothing but a limit of the range."""

END = {"softmax", "sigmoid"}
"""Activations that stay in float where they give the answer."""

ENDS_AT_ONE = {"softmax", "sigmoid", "hard_sigmoid"}
"""Activations whose range is known: 0 to 1."""

_KEEPS = {
    *("ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "Identity"),
    *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "Masking"),
    *("Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Permute", "RepeatVector", "Reshape"),
    *("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "UpSampling1D", "ZeroPadding1D", "ZeroPadding2D"),
    *("ZeroPadding3D", "ExpandDims", "GetItem", "Squeeze", "Transpose"),
}
"""Layers and operations behind which every value is one of those before it, or zero."""

_SHARES = {"AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "Resizing", "UpSampling2D"}

_OPERATIONS = {"HardSigmoid": "hard_sigmoid", "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid"}
"""Functions of `keras.ops` called on symbolic tensors."""


@dataclass(frozen=True)
class Activation:
    """What a layer does to its values at the end.

    Attributes:
        name: Keras' name of the function; ``"linear"`` where there is none.
        alone: the layer does nothing else.
    """

    name: str = "linear"
    alone: bool = False

    @property
    def removable(self) -> bool:
        """Whether it is but a limit of the range."""
        return self.name in REMOVABLE


def activation_of(layer: Any) -> Activation:
    """Return the activation of a layer or operation."""
    kind = type(layer).__name__
    if kind == "ReLU":
        plain = not layer.negative_slope and not layer.threshold
        return Activation("relu" if plain else "leaky_relu", alone=True)
    if kind == "Softmax":
        return Activation("softmax", alone=True)
    if kind in _OPERATIONS:
        return Activation(_OPERATIONS[kind], alone=True)
    function = getattr(layer, "activation", None)
    name = "linear" if function is None else str(getattr(function, "__name__", type(function).__name__))
    return Activation(name, alone=kind == "Activation")


def keeps_values(layer: Any) -> bool:
    """Whether what a layer hands on lies on the steps of what it was given."""
    kind = type(layer).__name__
    nearest = kind == "UpSampling2D" and layer.interpolation == "nearest"
    return kind in _KEEPS or kind.startswith("Random") or nearest or activation_of(layer) == Activation(alone=True)


def shares_range(layer: Any) -> bool:
    """Whether what a layer makes is rounded to the steps of what it was given."""
    return type(layer).__name__ in _SHARES


class Readers:
    """Who reads the tensors of a functional model.

    Args:
        network: the model.
        ends: its outputs are the answer; not of a model inside another.
    """

    def __init__(self, network: Any, *, ends: bool) -> None:
        self._ends = ends
        self.outputs = {id(output) for output in network.outputs}
        self.nodes = [
            node for depth in sorted(network._nodes_by_depth, reverse=True) for node in network._nodes_by_depth[depth]
        ]
        self._of: dict[int, list[Any]] = defaultdict(list)
        for node in self.nodes:
            for tensor in {id(given): given for given in node.input_tensors}.values():
                self._of[id(tensor)].append(node)

    def of(self, tensor: Any) -> list[Any]:
        """Return the calls that read a tensor."""
        return self._of[id(tensor)]

    def only(self, node: Any) -> Any:
        """Return the one call that reads what a call makes, or None: there are others, or it is an output."""
        (tensor, *others) = node.output_tensors
        read = self.of(tensor)
        return read[0] if len(read) == 1 and not others and id(tensor) not in self.outputs else None

    def is_end(self, node: Any, activation: Activation) -> bool:
        """Whether a call gives the answer with an activation that stays in float."""
        return self._ends and activation.name in END and any(id(made) in self.outputs for made in node.output_tensors)

    def is_rounded_later(self, node: Any, activation: Activation) -> bool:
        """Whether what a call makes is rounded by its one reader instead, or not at all."""
        if self.is_end(node, activation):
            return True
        reader = self.only(node)
        if reader is None:
            return False
        following = activation_of(reader.operation)
        scaled = type(node.operation).__name__ == type(reader.operation).__name__ == "Rescaling"
        return scaled or (following.alone and (following.removable or self.is_end(reader, following)))
