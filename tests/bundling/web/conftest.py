"""The bundle `web`, built with npm and served once a session."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsing import launched, served, visiting
from tests.bundling.web.driving import (
    READY,
    build,
    expect,
    open_page,
)


@pytest.fixture(scope="module")
def built(make_bundle: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bundle after the first two commands of its README; ten seconds, from npm's cache."""
    if shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    folder = tmp_path_factory.mktemp("web") / "app of mine"
    shutil.copytree(make_bundle("web"), folder)
    command = ["npm", "install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and re.search("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED", done.stderr):
        pytest.skip("needs npm's registry, or its packages in npm's cache")
    assert done.returncode == 0, done.stderr
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
