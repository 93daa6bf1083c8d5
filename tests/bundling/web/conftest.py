"""The bundle `web`, built with npm and served once a session."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsing import launched, served, visiting
from tests.bundling.npm import node_modules
from tests.bundling.web.driving import (
    READY,
    build,
    expect,
    open_page,
)


@pytest.fixture(scope="module")
def built(make_bundle: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bundle after the first two commands of its README."""
    bundle = make_bundle("web")
    folder = tmp_path_factory.mktemp("web") / "app of mine"
    shutil.copytree(bundle, folder)
    (folder / "node_modules").symlink_to(node_modules(bundle, tmp_path_factory))
    assert build(folder).startswith("app/ is complete: ")
    return folder


@pytest.fixture(scope="module")
def site(built: Path) -> Iterator[str]:
    with served(built) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as started:
        yield started


@pytest.fixture(scope="module")
def opened(browser: Any, site: str) -> Iterator[Any]:
    """The page, opened once: it takes seconds."""
    with visiting(browser) as page:
        open_page(page, site)
        yield page


@pytest.fixture
def page(opened: Any) -> Any:
    """The page, with nothing drawn on it."""
    if opened.locator("#clear").is_enabled():
        opened.locator("#clear").click()
    expect(opened.locator("#sure")).to_have_text(READY)
    return opened
