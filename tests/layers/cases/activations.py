"""Every function of `keras.activations`: as a layer of its own, and inside the dense layer that precedes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import activations, layers

from tests.layers.case import Case, Feed, built, one, register

# fmt: off
NAMES = (
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh", "tanh_shrink",
)
# fmt: on

WIDE = Feed((4, 6), low=-4, high=4)
"""Beyond every kink: 3 of hard_tanh's kin, 1 of the sparse ones, 0.5 of the shrinking ones."""


def _both_ways(name: str) -> Callable[..., Any]:
    def apply(x: Any) -> Any:
        return [layers.Activation(name)(x), layers.Dense(6, activation=name)(x)]

    return apply


for _name in NAMES:
    register(Case(f"activations.{_name}", "layer and dense", (WIDE,), _both_ways(_name)))


@built("activations.threshold", WIDE)
def called(x: Any) -> Any:
    return activations.threshold(x, 0.2, -1.5)


@built("activations.gelu", WIDE)
def approximate(x: Any) -> Any:
    return activations.gelu(x, approximate=True)


@built("activations.gelu", WIDE)
def exact(x: Any) -> Any:
    return activations.gelu(x, approximate=False)


@built("activations.relu", WIDE)
def with_a_slope_a_ceiling_and_a_threshold(x: Any) -> Any:
    return activations.relu(x, negative_slope=0.1, max_value=2.0, threshold=0.5)


@built("Activation", Feed((None, None, 3), low=-4, high=4))
def between_convolutions(x: Any) -> Any:
    x = layers.Activation("silu")(layers.Conv2D(4, 3)(x))
    return layers.Conv2D(3, 1, activation="tanh")(layers.Activation("gelu")(x))


one("ReLU", WIDE)
one("ReLU", WIDE, max_value=2.0, negative_slope=0.1, threshold=0.5)
one("LeakyReLU", WIDE)
one("LeakyReLU", WIDE, negative_slope=0.05)
one("PReLU", WIDE)
one("PReLU", Feed((5, 6, 3), low=-4, high=4), shared_axes=[1, 2])
one("ELU", WIDE)
one("ELU", WIDE, alpha=0.5)
one("Softmax", WIDE)
one("Softmax", WIDE, axis=1)
one("Softmax", WIDE, axis=[1, 2])


@built("Softmax", WIDE, Feed((4, 6), "bool"))
def masked(x: Any, mask: Any) -> Any:
    return layers.Softmax()(x, mask=mask)
