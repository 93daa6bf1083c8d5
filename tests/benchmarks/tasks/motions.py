"""Synthesized motion: what a sensor of acceleration and rotation on a wrist measures, by activity."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.tasks.network import Data, Samples

STEPS, AXES = 128, 6
ACTIVITIES = 6


def motions() -> Data:
    """Return windows, float32, (n, 128, 6), and which of six activities each shows."""
    return Data(_draw(6000, 1), _draw(1000, 2), _draw(3000, 3))


def _draw(count: int, seed: int) -> Samples:
    """Draw periodic motion: an activity has a rhythm, and a swing and a phase in each axis and harmonic."""
    shapes = np.random.default_rng(0)
    rhythm = shapes.uniform(1.8, 3.2, ACTIVITIES)
    swing, phase = shapes.uniform(0.1, 1.0, (2, ACTIVITIES, AXES, 3))
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, ACTIVITIES, count)
    time = np.arange(STEPS) / STEPS
    pace = (rhythm[labels] * generator.uniform(0.75, 1.3, count))[:, None]
    turn = pace * time + generator.uniform(0, 1, (count, 1))
    made = np.zeros((count, STEPS, AXES))
    for harmonic in range(3):
        size = swing[labels][:, None, :, harmonic] * generator.uniform(0.3, 1.7, (count, 1, AXES))
        angle = (harmonic + 1) * turn[..., None] + phase[labels][:, None, :, harmonic]
        made += size * np.sin(2 * np.pi * angle)
    made += generator.normal(0, 1, made.shape) * generator.uniform(1.5, 4.0, (count, 1, 1))
    return Samples(made.astype(np.float32), labels)
