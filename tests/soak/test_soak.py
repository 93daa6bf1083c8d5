"""A short soak; `make soak` asks a million times."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from edgeconv.runtime.predictor import Predictor
from tests.soak.__main__ import MOST_GROWTH_MB
from tests.soak.soaking import soak


class Leaky(Predictor):
    """Keeps a page of each prepared array that it is asked about."""

    def __init__(self, model: Path) -> None:
        super().__init__(model)
        self.kept: list[bytes] = []

    def predict_prepared(self, images: np.ndarray) -> list[Any]:
        self.kept.append(b"x" * 20_000)
        return super().predict_prepared(images)


class Confused(Predictor):
    """Answers every hundredth prepared array with another one's answer."""

    def __init__(self, model: Path) -> None:
        super().__init__(model)
        self.count = itertools.count(1)

    def predict_prepared(self, images: np.ndarray) -> list[Any]:
        return super().predict_prepared(255 - images if next(self.count) % 100 == 0 else images)


def test_threads_get_their_own_answers_and_memory_stays(tiny: Path, tmp_path: Path) -> None:
    """Takes four seconds: twenty thousand predictions."""
    with Predictor(tiny) as model:
        result = soak(model, tmp_path, predictions=20_000)
    assert result.asked.total() == 20_000
    assert not result.wrong
    assert result.growth <= MOST_GROWTH_MB, result.memory


def test_memory_that_is_kept_is_seen(tiny: Path, tmp_path: Path) -> None:
    assert soak(Leaky(tiny), tmp_path, predictions=4_000).growth > MOST_GROWTH_MB


def test_answers_of_others_are_seen(tiny: Path, tmp_path: Path) -> None:
    assert soak(Confused(tiny), tmp_path, predictions=2_000).wrong
