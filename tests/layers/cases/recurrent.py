"""Recurrent layers: what they return, in which direction, under which mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers

from tests.layers.case import Case, Feed, built, one, register

SEQUENCE, ANY_LENGTH = Feed((5, 3)), Feed((None, 3), sizes=(5, 7))
TOKENS = Feed((5,), "int32", low=0, high=4)
ANY_TOKENS = Feed((None,), "int32", low=0, high=4, sizes=(5, 7))
KINDS = ("SimpleRNN", "LSTM", "GRU")


def _masked(kind: str, **options: Any) -> Callable[..., Any]:
    def apply(tokens: Any) -> Any:
        return getattr(layers, kind)(4, **options)(layers.Embedding(4, 3, mask_zero=True)(tokens))

    return apply


def _started(kind: str, states: int) -> Callable[..., Any]:
    def apply(x: Any, *initial: Any) -> Any:
        return list(getattr(layers, kind)(4, return_state=True)(x, initial_state=list(initial[:states])))

    return apply


def _behind_a_masking_layer(kind: str) -> Callable[..., Any]:
    return lambda x: getattr(layers, kind)(4)(layers.Masking()(layers.Rescaling(0.5)(x)))


for _kind in KINDS:
    one(_kind, SEQUENCE, 4)
    one(_kind, SEQUENCE, 4, return_sequences=True)
    one(_kind, SEQUENCE, 4, return_sequences=True, return_state=True)
    one(_kind, SEQUENCE, 4, go_backwards=True, return_sequences=True)
    one(_kind, SEQUENCE, 4, unroll=True)
    one(_kind, SEQUENCE, 4, activation="relu", use_bias=False)
    one(_kind, SEQUENCE, 4, dropout=0.3, recurrent_dropout=0.3)
    one(_kind, ANY_LENGTH, 4, return_sequences=True)
    one(_kind, Feed((5, 3), batch=2), 4, stateful=True)
    register(Case(_kind, "masked tokens", (TOKENS,), _masked(_kind)))
    register(Case(_kind, "masked tokens, return_sequences", (TOKENS,), _masked(_kind, return_sequences=True)))
    register(Case(_kind, "masked tokens, go_backwards", (TOKENS,), _masked(_kind, go_backwards=True)))
    register(Case(_kind, "masked tokens, any length", (ANY_TOKENS,), _masked(_kind)))
    register(Case(_kind, "masked tokens, unrolled", (TOKENS,), _masked(_kind, unroll=True)))
    _steps = Feed((5, 3), "int32", low=0, high=2)
    register(Case(_kind, "behind Masking", (_steps,), _behind_a_masking_layer(_kind)))
    _states = 2 if _kind == "LSTM" else 1
    register(Case(_kind, "initial_state", (SEQUENCE, *(Feed((4,)),) * _states), _started(_kind, _states)))

one("LSTM", SEQUENCE, 4, recurrent_activation="hard_sigmoid")
one("LSTM", SEQUENCE, 4, use_cudnn=True)
one("GRU", SEQUENCE, 4, reset_after=False)
one("GRU", SEQUENCE, 4, use_cudnn=True)


@built("LSTM", SEQUENCE)
def stacked(x: Any) -> Any:
    return layers.LSTM(3)(layers.LSTM(4, return_sequences=True)(x))


def _both_directions(kind: str, **options: Any) -> Callable[..., Any]:
    def apply(x: Any) -> Any:
        inner = {key: options.pop(key) for key in ("return_sequences", "return_state") if key in options}
        answer = layers.Bidirectional(getattr(layers, kind)(4, **inner), **options)(x)
        return list(answer) if isinstance(answer, (list, tuple)) else answer

    return apply


for _kind in KINDS:
    register(Case("Bidirectional", _kind, (SEQUENCE,), _both_directions(_kind)))
    register(
        Case(
            "Bidirectional", f"{_kind} return_sequences", (ANY_LENGTH,), _both_directions(_kind, return_sequences=True)
        )
    )
for _merge in ("sum", "mul", "ave", None):
    _apply = _both_directions("LSTM", merge_mode=_merge, return_sequences=True)
    register(Case("Bidirectional", f"LSTM merge_mode={_merge}", (SEQUENCE,), _apply))
register(Case("Bidirectional", "GRU return_state", (SEQUENCE,), _both_directions("GRU", return_state=True)))


@built("Bidirectional", TOKENS)
def of_masked_tokens(tokens: Any) -> Any:
    return layers.Bidirectional(layers.LSTM(4))(layers.Embedding(4, 3, mask_zero=True)(tokens))


@built("Bidirectional", SEQUENCE)
def with_another_layer_backward(x: Any) -> Any:
    return layers.Bidirectional(layers.LSTM(4), backward_layer=layers.GRU(3, go_backwards=True))(x)


def _of_cells(*cells: str, **options: Any) -> Callable[..., Any]:
    def apply(x: Any) -> Any:
        made = [getattr(layers, cell)(4) for cell in cells]
        answer = layers.RNN(made if len(made) > 1 else made[0], **options)(x)
        return list(answer) if options.get("return_state") else answer

    return apply


for _kind in KINDS:
    register(Case(f"{_kind}Cell", "in RNN", (SEQUENCE,), _of_cells(f"{_kind}Cell")))
register(Case("RNN", "one cell", (SEQUENCE,), _of_cells("LSTMCell", return_sequences=True, return_state=True)))
register(Case("RNN", "go_backwards", (ANY_LENGTH,), _of_cells("GRUCell", go_backwards=True)))
register(Case("RNN", "unroll", (SEQUENCE,), _of_cells("SimpleRNNCell", unroll=True)))


@built("RNN", TOKENS)
def zero_output_for_mask(tokens: Any) -> Any:
    cell = layers.LSTMCell(4)
    return layers.RNN(cell, return_sequences=True, zero_output_for_mask=True)(
        layers.Embedding(4, 3, mask_zero=True)(tokens)
    )


@built("StackedRNNCells", SEQUENCE)
def three_cells_in_an_rnn(x: Any) -> Any:
    cells = layers.StackedRNNCells([layers.LSTMCell(4), layers.GRUCell(3), layers.SimpleRNNCell(2)])
    return list(layers.RNN(cells, return_sequences=True, return_state=True)(x))


for _rank, _sides in ((1, (6,)), (2, (6, 5)), (3, (4, 4, 3))):
    _video = Feed((3, *_sides, 2))
    one(f"ConvLSTM{_rank}D", _video, 3, 3)
    one(f"ConvLSTM{_rank}D", _video, 3, 3, padding="same", return_sequences=True)
one("ConvLSTM2D", Feed((3, 6, 5, 2)), 3, 3, go_backwards=True, return_state=True)
one("ConvLSTM2D", Feed((3, 7, 7, 2)), 3, 3, strides=2)
one("ConvLSTM2D", Feed((3, 8, 8, 2)), 3, 3, dilation_rate=2)
one("ConvLSTM2D", Feed((3, 2, 6, 5)), 3, 3, data_format="channels_first")
one("ConvLSTM2D", Feed((None, 6, 5, 2), sizes=(3, 4)), 3, 3)


@built("TimeDistributed", SEQUENCE)
def dense(x: Any) -> Any:
    return layers.TimeDistributed(layers.Dense(4, activation="relu"))(x)


@built("TimeDistributed", Feed((3, 6, 5, 2)))
def convolution(x: Any) -> Any:
    return layers.TimeDistributed(layers.Conv2D(3, 3))(x)


@built("TimeDistributed", ANY_LENGTH)
def dense_over_any_length(x: Any) -> Any:
    return layers.TimeDistributed(layers.Dense(4))(x)


@built("TimeDistributed", TOKENS)
def masked_tokens(tokens: Any) -> Any:
    x = layers.TimeDistributed(layers.Dense(4))(layers.Embedding(4, 3, mask_zero=True)(tokens))
    return layers.LSTM(2)(x)
