"""The bundle `python`, as a program and as a package."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.bundling.python.running import load
from tests.rendering import FILES, encode, phone_photo, stroke_digit


@pytest.fixture
def copy(make_bundle: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(make_bundle("python"), tmp_path / "app"))


@pytest.fixture(scope="module")
def package(make_bundle: Any) -> ModuleType:
    """Return the bundle's package."""
    return load(make_bundle("python"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photographs of digits, in every kind of file, each turned another way."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(5)
    photos = [phone_photo(stroke_digit(glyph), rng, height=180, width=240) for glyph in "01247"]
    kinds = [*FILES, ("jpg", "RGB"), ("jpg", "RGB"), ("jpg", "L"), ("png", "RGB")]
    turns = [1] * len(FILES) + [3, 6, 8, 6]
    return [
        encode(photos[number % 5], file_type, mode, folder / f"{number}", orientation=turn)
        for number, ((file_type, mode), turn) in enumerate(zip(kinds, turns, strict=True))
    ]
