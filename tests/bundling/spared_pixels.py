"""Self-tests of masks, of which some pixels may be off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgeconv.bundling.collect import collect_context
from edgeconv.bundling.selftest import Limit, encode
from edgeconv.runtime.files import read_files

SPARED = 2
"""Pixels of each mask that may be off, of 48."""


def selftest_of_mask(artifact: Path, off: int) -> bytes:
    """Return the self-test of the row `mask`, in which so many pixels of one mask should be of other classes."""
    context = collect_context(read_files(artifact), "fp32")
    first, *others = context.samples
    mask, *prepared = first.outputs
    wanted = mask.copy()
    pixels = wanted.reshape(-1, wanted.shape[-1])
    pixels[:off] = 1.0 - pixels[:off]
    limits = [Limit(0.02, (SPARED + 0.5) / len(pixels), pixels.shape[1]), Limit(1.0)]
    return encode([*others, replace(first, outputs=(wanted, *prepared))], limits, context.interface.fingerprint)
