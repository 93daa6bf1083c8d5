"""Layers that merge several tensors, and the functions that stand for them."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from tests.layers.case import Case, Feed, built, one, register

A, ROW, LONG = Feed((4, 5)), Feed((1, 5)), Feed((None, 5))

for _name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
    one(_name, (A, A))
    one(_name, (A, ROW))
    one(_name, (LONG, LONG))
    if _name != "Subtract":
        one(_name, (A, A, A))

one("Concatenate", (A, Feed((4, 3))))
one("Concatenate", (A, Feed((2, 5))), axis=1)
one("Concatenate", (LONG, Feed((3, 5))), axis=1)
one("Dot", (Feed((5,)), Feed((5,))), axes=1)
one("Dot", (A, Feed((3, 5))), axes=2)
one("Dot", (A, Feed((5, 3))), axes=(2, 1), normalize=True)
one("Add", (Feed((4,), "int32", low=-5, high=5), Feed((4,), "int32", low=-5, high=5)))


def _function(name: str, **options: Any) -> Any:
    return lambda *inputs: getattr(keras.layers, name)(list(inputs), **options)


for _name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"):
    register(Case(_name, "function", (A, A), _function(_name)))
register(Case("dot", "function", (A, A), _function("dot", axes=2)))


@built("Add", A)
def with_itself(x: Any) -> Any:
    return layers.Add()([x, x])


@built("Concatenate", Feed((5,), "int32", low=0, high=4), Feed((5,), "int32", low=0, high=4))
def of_masked_sequences(first: Any, second: Any) -> Any:
    embedding = layers.Embedding(4, 3, mask_zero=True)
    return layers.LSTM(3)(layers.Concatenate(axis=1)([embedding(first), embedding(second)]))
