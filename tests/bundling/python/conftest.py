"""The bundle `python`, as a program and as a module."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.rendering import FILES, encode, phone_photo, stroke_digit


@pytest.fixture
def copy(make_bundle: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(make_bundle("python"), tmp_path / "app"))


@pytest.fixture(scope="module")
def predict(make_bundle: Any) -> ModuleType:
    """Return the bundle's module."""
    spec = importlib.util.spec_from_file_location("predict", make_bundle("python") / "predict.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["predict"] = module  # dataclasses look their module up
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


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
