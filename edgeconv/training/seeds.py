"""Many independent random streams from the one seed of a run."""

from __future__ import annotations

import zlib

import numpy as np


def derived_seed(seed: int, purpose: str, *numbers: int) -> int:
    """Return a seed of its own for one purpose.

    Nothing draws from a generator of the process: a run is the same whatever the process did before, and an epoch
    is the same whether the run was interrupted before it or not.

    Args:
        seed: of the run, 0 or more.
        purpose: what is random, such as the name of a layer.
        numbers: further distinctions, such as the epoch.

    Returns:
        0 to 2**31 - 1.
    """
    entropy = [seed, zlib.crc32(purpose.encode()), *numbers]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1)
