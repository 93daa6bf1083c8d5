"""A small set of pictures that a small network learns in a second, and a listener that remembers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edgeconv.config import TrainConfig
from edgeconv.datasets import Dataset, DatasetSpec, open_dataset
from edgeconv.progress import Advance

SMALL = TrainConfig(depth=2, batch_size=32, epochs=3, dropout=0.2, augment=True, device="cpu")


def save_bars(path: Path, seed: int = 0, side: int = 16) -> Path:
    """Save noisy pictures with a bright bar in the left, the middle or the right third."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for split, count in (("train", 150), ("test", 60)):
        labels = np.arange(count) % 3
        images = rng.integers(0, 90, (count, side, side), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, label * side // 3 : label * side // 3 + 3] += 150
        arrays |= {f"x_{split}": images, f"y_{split}": labels}
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="session")
def bars_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bars(tmp_path_factory.mktemp("data") / "bars.npz")


@pytest.fixture(scope="session")
def bars(bars_file: Path) -> Dataset:
    return open_dataset(DatasetSpec(str(bars_file)))


class Listener:
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.bars: dict[str, list[tuple[int, str]]] = {}
        self.totals: list[int | None] = []

    def say(self, message: str) -> None:
        self.said.append(message)

    @contextmanager
    def bar(self, description: str, total: int | None) -> Iterator[Advance]:
        steps = self.bars[description] = []
        self.totals.append(total)
        yield lambda count, status: steps.append((count, status))


@pytest.fixture
def listener() -> Listener:
    return Listener()
