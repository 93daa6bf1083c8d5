"""Folders of noisy pictures, one subfolder a class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgeconv.datasets import Dataset, DatasetSpec, open_dataset
from edgeconv.progress import Advance


class Listener:
    """Remembers what was said, and how far the bars came."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.bars: dict[str, list[int | None]] = {}

    def say(self, message: str) -> None:
        self.words.append(message)

    @contextmanager
    def bar(self, description: str, total: int | None) -> Iterator[Advance]:
        self.bars[description] = [0, total]

        def advance(steps: int, status: str) -> None:
            del status
            self.bars[description][0] = (self.bars[description][0] or 0) + steps

        yield advance


def draw_picture(path: Path, seed: int, mode: str = "L", size: tuple[int, int] = (12, 9)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    depth = {"L": (), "RGB": (3,), "RGBA": (4,), "LA": (2,)}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], *depth), dtype=np.uint8)
    Image.fromarray(pixels, mode).save(path)


def draw_classes(root: Path, each: int = 5, names: tuple[str, ...] = ("ant", "bee"), mode: str = "L") -> Path:
    for position, name in enumerate(names):
        for index in range(each):
            draw_picture(root / name / f"{index}.png", seed=100 * position + index, mode=mode)
    return root


def open_folder(root: Path, progress: Listener | None = None, **options: Any) -> Dataset:
    return open_dataset(DatasetSpec(str(root), **{"image_size": (9, 12), **options}), progress=progress or Listener())
