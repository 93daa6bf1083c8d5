from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny() -> Path:
    """Return the artifact of three colours, 12 x 12 pixels; see `tests/data/make_tiny.py`."""
    return Path(__file__).parent / "data" / "tiny"


@pytest.fixture(scope="session")
def seven() -> Path:
    """Return a photo-like picture of a 7: dark ink on bright, unevenly lit paper, 320 x 240."""
    return Path(__file__).parent / "data" / "seven.png"
