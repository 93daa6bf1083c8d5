"""One source of random numbers, wound back before each test: what a test gets depends on no other test."""

from __future__ import annotations

import random
import sys

import numpy as np

RNG = np.random.default_rng(0)
"""For arrays of a test's own."""


def wind_back() -> None:
    """Seed what tests draw: from `RNG`, and from Keras where a test has loaded it."""
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state
    random.seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)
