"""Features: numbers normalised, binned and counted, words and keys looked up, sound turned into spectra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import layers

from tests.layers.case import Case, Feed, built, one, register

ROW = Feed((3,), low=-2, high=2)
KEYS = Feed((4,), "int32", low=0, high=6)
LONG_KEYS = Feed((4,), "int64", low=0, high=6)
WORDS = Feed((2,), "string")
SOUND = Feed((400,))

one("Normalization", ROW, mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 0.5])
one("Normalization", ROW, mean=0.5, variance=2.0)
one("Normalization", ROW, axis=None, mean=0.5, variance=2.0)
one("Normalization", Feed((5, 4, 3), low=0, high=255), mean=[120.0, 110.0, 100.0], variance=[60.0, 50.0, 70.0])
one("Normalization", Feed((None, None, 3), low=0, high=255), mean=[120.0, 110.0, 100.0], variance=[60.0, 50.0, 70.0])
one("Normalization", ROW, mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 0.5], invert=True)
one("Normalization", Feed((3,), "int32", low=-5, high=5), mean=0.5, variance=2.0)


@built("Normalization", ROW)
def adapted(x: Any) -> Any:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(3).normal(1.0, 2.0, (50, 3)).astype("float32"))
    return layers.Dense(4)(layer(x))


for _output_mode in ("int", "one_hot", "multi_hot", "count"):
    one("Discretization", ROW, bin_boundaries=[-1.0, 0.0, 0.5], output_mode=_output_mode)
one("Discretization", Feed((3,), "int32", low=-5, high=5), bin_boundaries=[-2.0, 0.0, 2.5])

for _output_mode in ("one_hot", "multi_hot", "count"):
    one("CategoryEncoding", KEYS if _output_mode != "one_hot" else Feed((1,), "int32", low=0, high=6), 6,
        output_mode=_output_mode)  # fmt: skip


@built("CategoryEncoding", KEYS, Feed((4,), low=0, high=2))
def weighted(keys: Any, weights: Any) -> Any:
    return layers.CategoryEncoding(6, output_mode="count")(keys, count_weights=weights)


one("Hashing", KEYS, num_bins=5)
one("Hashing", KEYS, num_bins=5, salt=7)
one("Hashing", WORDS, num_bins=5)
one("Hashing", KEYS, num_bins=5, output_mode="multi_hot")
one("HashedCrossing", (Feed((1,), "int32", low=0, high=6), Feed((1,), "int32", low=0, high=6)), num_bins=5)
one("HashedCrossing", (Feed((1,), "string"), Feed((1,), "string")), num_bins=5, output_mode="one_hot")

for _output_mode in ("int", "one_hot", "multi_hot", "count"):
    _feed = LONG_KEYS if _output_mode != "one_hot" else Feed((1,), "int64", low=0, high=6)
    one("IntegerLookup", _feed, vocabulary=[1, 3, 5], output_mode=_output_mode)
one("IntegerLookup", LONG_KEYS, vocabulary=[1, 3, 5], num_oov_indices=2)
one("IntegerLookup", LONG_KEYS, vocabulary=[1, 3, 5], mask_token=0)
one("IntegerLookup", KEYS, vocabulary=[1, 3, 5])
one("IntegerLookup", Feed((4,), "int64", low=1, high=4), vocabulary=[1, 3, 5], invert=True)
one("StringLookup", WORDS, vocabulary=["ant bee", "bee"])
one("StringLookup", WORDS, vocabulary=["ant bee", "bee"], output_mode="multi_hot")
one("StringLookup", Feed((4,), "int64", low=1, high=3), vocabulary=["ant", "bee"], invert=True)
one("TextVectorization", Feed((1,), "string"), vocabulary=["ant", "bee"], output_sequence_length=3)
one("TextVectorization", Feed((1,), "string"), vocabulary=["ant", "bee"], output_mode="multi_hot")


def _spectrum(name: str, **options: Any) -> Callable[..., Any]:
    return lambda x: getattr(layers, name)(**options)(x)


for _mode in ("log", "magnitude", "psd", "real", "imag", "angle", "stft"):
    _apply = _spectrum("STFTSpectrogram", mode=_mode, frame_length=32, frame_step=16)
    register(Case("STFTSpectrogram", f"mode={_mode}", (Feed((400, 1)),), _apply))
one("STFTSpectrogram", Feed((400, 1)), mode="magnitude", frame_length=32, padding="same")
one("STFTSpectrogram", Feed((400, 2)), mode="magnitude", frame_length=32, fft_length=64, expand_dims=True)
one("STFTSpectrogram", Feed((None, 1), sizes=(400, 500)), mode="magnitude", frame_length=32)

_sound = {"fft_length": 64, "sequence_stride": 32, "num_mel_bins": 8}
register(Case("MelSpectrogram", "decibels", (SOUND,), _spectrum("MelSpectrogram", **_sound)))
register(Case("MelSpectrogram", "power", (SOUND,), _spectrum("MelSpectrogram", power_to_db=False, **_sound)))
register(Case("MelSpectrogram", "dynamic", (Feed((None,), sizes=(400, 500)),), _spectrum("MelSpectrogram", **_sound)))
