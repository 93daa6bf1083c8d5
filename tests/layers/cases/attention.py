"""Attention in its forms, masks included."""

from __future__ import annotations

from typing import Any

from keras import layers

from tests.layers.case import Feed, built, one

QUERY, VALUE = Feed((4, 6)), Feed((5, 6))
LONG, LONGER = Feed((None, 6)), Feed((None, 6), sizes=(7, 9))
TOKENS = Feed((5,), "int32", low=0, high=4)

for _name in ("Attention", "AdditiveAttention"):
    one(_name, (QUERY, VALUE))
    one(_name, (QUERY, VALUE, VALUE))
    one(_name, (LONG, LONGER))
one("Attention", (QUERY, VALUE), use_scale=True)
one("Attention", (QUERY, VALUE), score_mode="concat")
one("AdditiveAttention", (QUERY, VALUE), use_scale=False)


@built("Attention", QUERY, VALUE)
def causal_with_its_scores(query: Any, value: Any) -> Any:
    return list(layers.Attention()([query, value], use_causal_mask=True, return_attention_scores=True))


@built("Attention", QUERY, VALUE, Feed((4,), "bool"), Feed((5,), "bool"))
def masked(query: Any, value: Any, query_mask: Any, value_mask: Any) -> Any:
    return layers.Attention()([query, value], mask=[query_mask, value_mask])


@built("AdditiveAttention", TOKENS)
def masked_by_an_embedding(tokens: Any) -> Any:
    x = layers.Embedding(4, 6, mask_zero=True)(tokens)
    return layers.AdditiveAttention()([x, x])


@built("MultiHeadAttention", QUERY)
def of_itself(x: Any) -> Any:
    return layers.MultiHeadAttention(2, 3)(x, x)


@built("MultiHeadAttention", QUERY, VALUE)
def with_its_scores(query: Any, value: Any) -> Any:
    return list(layers.MultiHeadAttention(2, 3, value_dim=4)(query, value, return_attention_scores=True))


@built("MultiHeadAttention", QUERY)
def causal(x: Any) -> Any:
    return layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)


@built("MultiHeadAttention", LONG, LONGER)
def dynamic_lengths(query: Any, value: Any) -> Any:
    return layers.MultiHeadAttention(2, 3)(query, value)


@built("MultiHeadAttention", LONG)
def dynamic_lengths_causal(x: Any) -> Any:
    return layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)


@built("MultiHeadAttention", QUERY, VALUE, Feed((4, 5), "bool"))
def with_an_attention_mask(query: Any, value: Any, mask: Any) -> Any:
    return layers.MultiHeadAttention(2, 3)(query, value, attention_mask=mask)


@built("MultiHeadAttention", TOKENS)
def masked_tokens(tokens: Any) -> Any:
    x = layers.Embedding(4, 6, mask_zero=True)(tokens)
    return layers.MultiHeadAttention(2, 3)(x, x)


@built("MultiHeadAttention", QUERY)
def without_bias_into_another_width(x: Any) -> Any:
    return layers.MultiHeadAttention(2, 3, use_bias=False, output_shape=5)(x, x)


@built("MultiHeadAttention", Feed((3, 4, 6)))
def over_two_axes(x: Any) -> Any:
    return layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))(x, x)


@built("MultiHeadAttention", QUERY)
def gated(x: Any) -> Any:
    return layers.MultiHeadAttention(2, 3, use_gate=True)(x, x)


@built("MultiHeadAttention", VALUE)
def in_a_sliding_window(x: Any) -> Any:
    return layers.MultiHeadAttention(2, 3, sliding_window=2)(x, x)


@built("GroupQueryAttention", QUERY)
def grouped(x: Any) -> Any:
    return layers.GroupQueryAttention(3, 4, 2)(x, x)


@built("GroupQueryAttention", QUERY, VALUE)
def grouped_with_its_scores(query: Any, value: Any) -> Any:
    return list(layers.GroupQueryAttention(3, 4, 2)(query, value, return_attention_scores=True))


@built("GroupQueryAttention", QUERY)
def grouped_causal(x: Any) -> Any:
    return layers.GroupQueryAttention(3, 4, 1, use_bias=False)(x, x, use_causal_mask=True)


@built("GroupQueryAttention", LONG)
def grouped_dynamic_length(x: Any) -> Any:
    return layers.GroupQueryAttention(3, 4, 2)(x, x)


@built("GroupQueryAttention", VALUE)
def grouped_gated_in_a_window(x: Any) -> Any:
    return layers.GroupQueryAttention(3, 4, 2, use_gate=True, sliding_window=2)(x, x)


@built("GroupQueryAttention", QUERY, VALUE, Feed((4, 5), "bool"))
def grouped_with_an_attention_mask(query: Any, value: Any, mask: Any) -> Any:
    return layers.GroupQueryAttention(3, 4, 2)(query, value, attention_mask=mask)
