from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

OF_TRAINING = "\npytestmark = pytest.mark.train\n"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what needs TensorFlow, unread")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--quick`, do not import a module whose tests all need TensorFlow: that alone takes seconds."""
    quick = config.getoption("--quick") and collection_path.suffix == ".py"
    return (quick and OF_TRAINING in collection_path.read_text(encoding="utf-8")) or None


FIRST = ("zoo", "layers", "legacy", "training", "conversion")
"""Folders whose files take minutes of a processor: begun last, they would end alone, with a core at rest."""


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Take the longest files first, in the order of `FIRST`, and the others as they stand."""
    root = Path(__file__).parent
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path.relative_to(root).parts[0], len(FIRST)))


def pytest_collection_finish() -> None:
    """Spare the collector what imports have made, TensorFlow's million objects among it, in every test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _quick_means_without_tensorflow(pytestconfig: pytest.Config) -> Iterator[None]:
    yield
    assert not pytestconfig.getoption("--quick") or "tensorflow" not in sys.modules, "mark the test with `train`"


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
