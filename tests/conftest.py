from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what exports remember out of the user's cache, and what he remembers out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGECONV_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny() -> Path:
    """Return the artifact of three colours, 12 x 12 pixels; see `tests/data/make_tiny.py`."""
    return Path(__file__).parent / "data" / "tiny"


@pytest.fixture(scope="session")
def seven() -> Path:
    """Return a photo-like picture of a 7: dark ink on bright, unevenly lit paper, 320 x 240."""
    return Path(__file__).parent / "data" / "seven.png"
