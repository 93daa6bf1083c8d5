"""The bundle `node` with its packages from npm."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bundling.npm import node_modules
from tests.rendering import FILES, encode, phone_photo, stroke_digit


@pytest.fixture(scope="module")
def modules(make_bundle: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the packages of the bundle."""
    return node_modules(make_bundle("node"), tmp_path_factory)


@pytest.fixture
def app(make_bundle: Any, modules: Path, tmp_path: Path) -> Path:
    """Return an installed copy of the bundle."""
    folder = Path(shutil.copytree(make_bundle("node"), tmp_path / "app"))
    (folder / "node_modules").symlink_to(modules)
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photographs of digits in every kind of PNG and JPEG file, the last ones turned by EXIF."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(5)
    photos = [phone_photo(stroke_digit(glyph), rng, height=180, width=240) for glyph in "01247"]
    kinds = [(file_type, mode) for file_type, mode in FILES if file_type in {"png", "jpg"} and mode != "CMYK"]
    kinds += [("jpg", "RGB"), ("jpg", "RGB"), ("jpg", "L")]
    turns = [1] * (len(kinds) - 3) + [3, 6, 8]
    return [
        encode(photos[number % 5], file_type, mode, folder / f"{number}", orientation=turn)
        for number, ((file_type, mode), turn) in enumerate(zip(kinds, turns, strict=True))
    ]
