"""The bundle `triton`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def made(make_bundle: Callable[[str], Path]) -> Path:
    return make_bundle("triton")
