"""Readers that live while others export: each opening gives one artifact, entirely."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from edgeconv.runtime.predictor import Predictor
from tests.kills.artifacts import NEW, OLD, make_new, make_old, what_opens, write

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork and no SIGKILL")

SECONDS = 1.5


def test_no_opening_fails_while_exports_run(tiny: Path, tmp_path: Path) -> None:
    """Opens and predicts for two seconds; the soak of `make kills` does it 100,000 times."""
    artifacts = make_old(tiny, tmp_path / "old"), make_new(tiny, tmp_path / "new")
    folder = tmp_path / "model"
    write(artifacts[0], folder)
    writer = os.fork()
    if writer == 0:
        for number in range(10**6):
            write(artifacts[number % 2], folder)
    seen: Counter[tuple[str, int]] = Counter()
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end or len(seen) < 2:
            seen[what_opens(folder)] += 1
            Predictor(folder).close()
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
    assert set(seen) == {OLD, NEW}
