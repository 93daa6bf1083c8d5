"""Dense layers, embeddings and what does nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import layers

from tests.layers.case import Case, Feed, built, one, register

ROW = Feed((6,))
TOKENS = Feed((5,), "int32", low=0, high=7)

one("Dense", ROW, 4)
one("Dense", ROW, 4, activation="relu", use_bias=False)
one("Dense", ROW, 4, activation="softmax")
one("Dense", Feed((5, 6)), 4, activation="tanh")
one("Dense", Feed((None, 6)), 4)
one("Dense", ROW, 4, lora_rank=2)
one("Dense", ROW, 4, dtype="mixed_float16")
one("Dense", ROW, 4, dtype="mixed_bfloat16")
one("Dense", ROW, 4, dtype="float64")

one("EinsumDense", Feed((5, 6)), "abc,cd->abd", output_shape=(None, 4))
one("EinsumDense", Feed((5, 6)), "abc,cd->abd", output_shape=(None, 4), bias_axes="d", activation="relu")
one("EinsumDense", Feed((None, 6)), "abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de")
one("EinsumDense", Feed((5, 6)), "...x,xy->...y", output_shape=4, bias_axes="y")
one("EinsumDense", Feed((5, 6)), "abc,cd->abd", output_shape=(None, 4), lora_rank=2)

one("Embedding", TOKENS, 7, 4)
one("Embedding", Feed((5,), "int64", low=0, high=7), 7, 4)
one("Embedding", Feed((None,), "int32", low=0, high=7), 7, 4)
one("Embedding", Feed((5,), low=0, high=7), 7, 4)
one("Embedding", TOKENS, 7, 4, mask_zero=True)
one("Embedding", TOKENS, 7, 4, lora_rank=2)
one("ReversibleEmbedding", TOKENS, 7, 4)

one("Identity", ROW)
one("Masking", Feed((5, 3)), mask_value=0.0)
one("ActivityRegularization", ROW, l2=0.1)


def _quantized(make: Callable[[], Any], scheme: str) -> Callable[..., Any]:
    def apply(x: Any) -> Any:
        layer = make()
        answer = layer(x)
        layer.quantize(scheme)
        return answer

    return apply


for _scheme in ("int8", "int4", "float8"):
    register(Case("Dense", f"quantized to {_scheme}", (ROW,), _quantized(lambda: layers.Dense(4), _scheme)))
    register(
        Case(
            "EinsumDense",
            f"quantized to {_scheme}",
            (Feed((5, 6)),),
            _quantized(lambda: layers.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d"), _scheme),
        )
    )
for _scheme in ("int8", "int4"):
    for _kind in ("Embedding", "ReversibleEmbedding"):
        register(
            Case(
                _kind, f"quantized to {_scheme}", (TOKENS,), _quantized(partial(getattr(layers, _kind), 7, 4), _scheme)
            )
        )


def _reversed(x: Any, **options: Any) -> Any:
    embedding = layers.ReversibleEmbedding(7, 4, **options)
    return embedding(embedding(x), reverse=True)


@built("ReversibleEmbedding", TOKENS)
def tied(x: Any) -> Any:
    return _reversed(x)


@built("ReversibleEmbedding", TOKENS)
def untied(x: Any) -> Any:
    return _reversed(x, tie_weights=False)


@built("ReversibleEmbedding", TOKENS)
def with_capped_logits(x: Any) -> Any:
    return _reversed(x, logit_soft_cap=0.05)


@built("Embedding", TOKENS)
def averaged_under_its_mask(x: Any) -> Any:
    return layers.GlobalAveragePooling1D()(layers.Embedding(7, 4, mask_zero=True)(x))


@built("Masking", Feed((5, 3), "int32", low=0, high=2))
def before_an_average(x: Any) -> Any:
    return layers.GlobalAveragePooling1D()(layers.Masking()(layers.Rescaling(0.5)(x)))


@built("Dense", ROW)
def shared_by_two_branches(x: Any) -> Any:
    shared = layers.Dense(6, activation="tanh")
    return [shared(x), shared(shared(x))]


@built("Dense", ROW)
def inside_nested_models(x: Any) -> Any:
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5, activation="relu"), layers.Dense(4)])
    return layers.Dense(3)(inner(x))


@built("InputLayer", Feed((6,), batch=2))
def of_a_fixed_batch(x: Any) -> Any:
    return layers.Dense(4)(x)


@built("Lambda", ROW)
def of_a_function(x: Any) -> Any:
    return layers.Lambda(lambda tensor: tensor * 2.0)(x)
