"""Synthesized sounds: words of two syllables as spectrograms, and frames of a machine that runs well or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.tasks.network import Data, Samples

WORDS = 12
FRAMES, BANDS = 49, 10
"""As MLPerf Tiny's keyword spotting: a second in steps of 20 ms, ten coefficients each."""

MACHINE_BANDS, MACHINE_FRAMES = 128, 5
"""As its anomaly detection: five frames of 128 bands in a row are 640 values."""


def words() -> Data:
    """Return spectrograms, float32, (n, 49, 10, 1), and which of twelve words each is."""
    return Data(_words(5000, 1), _words(500, 2), _words(2000, 3))


def machine() -> Data:
    """Return frames, float32, (n, 640), and 1 where the machine is damaged; what it learns from has no damage."""
    return Data(_machine(16_000, 1, share=0.0), _machine(1000, 2, share=0.0), _machine(4000, 3, share=0.5))


def _words(count: int, seed: int) -> Samples:
    """Draw words: each has two syllables, each a pair of formants that glide; speakers differ in pitch and pace."""
    voices = np.random.default_rng(0).uniform(0.5, BANDS - 1.5, (WORDS, 2, 2, 2))  # word, syllable, formant, ends
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, WORDS, count)
    time, bands = np.arange(FRAMES), np.arange(BANDS)
    made = np.zeros((count, FRAMES, BANDS), np.float32)
    for sound, label in zip(made, labels, strict=True):
        pitch, pace, start = generator.normal(0, 0.45), generator.uniform(0.75, 1.25), generator.uniform(3, 14)
        for syllable in range(2):
            length = 14 * pace
            along = (time - start - syllable * 1.2 * length) / length
            loud = generator.uniform(0.5, 1.2) * np.exp(-(((along - 0.5) / 0.35) ** 4))
            for low, high in voices[label, syllable]:
                place = low + (high - low) * along.clip(0, 1) + pitch
                sound += (loud[:, None] * np.exp(-(((bands - place[:, None]) / 0.9) ** 2))).astype(np.float32)
    noise = generator.normal(0, 1, made.shape) * generator.uniform(0.1, 0.45, (count, 1, 1))
    heard = np.log(0.05 + np.abs(made + noise)).astype(np.float32)
    return Samples(heard[..., None], labels)


def _machine(count: int, seed: int, *, share: float) -> Samples:
    """Draw frames of a motor with its harmonics; damage moves a harmonic a little and lets a bearing rattle."""
    generator = np.random.default_rng(seed)
    damaged = generator.random(count) < share
    bands = np.arange(MACHINE_BANDS)
    made = np.zeros((count, MACHINE_FRAMES, MACHINE_BANDS), np.float64)
    for frame, broken in zip(made, damaged, strict=True):
        speed = generator.uniform(9.0, 12.0)
        frame += 0.25 + 0.4 * np.exp(-bands / generator.uniform(20, 30))
        for harmonic in range(1, 9):
            place = speed * harmonic * (1.0 + 0.02 * broken * (harmonic == 5))
            wobble = place + np.sin(np.arange(MACHINE_FRAMES) + generator.uniform(0, 6))[:, None] * 0.4
            frame += 2.0 / harmonic * np.exp(-(((bands - wobble) / 1.5) ** 2))
        if broken:
            hit = generator.integers(MACHINE_FRAMES)
            frame[hit] += generator.uniform(0.0, 0.08) * (bands > 60)
    heard = np.log(made * np.exp(generator.normal(0, 0.12, made.shape)))
    return Samples(_standard(heard.reshape(count, -1)), damaged.astype(np.float32))


def _standard(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return ((values + 0.9) / 0.7).astype(np.float32)
