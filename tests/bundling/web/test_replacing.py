"""A bundle at the address of another, whose copy for offline use the browser has kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling.bundler import bundle
from tests.browsing import served, visiting
from tests.bundling.networks import make_artifact
from tests.bundling.web.driving import STARTING_MS, build, choose, expect, open_page, png


@pytest.fixture
def other(built: Path, tmp_path: Path) -> Path:
    """The built bundle of another model."""
    folder = bundle(make_artifact("classes", tmp_path / "artifact"), target="web", out=tmp_path / "app").path
    (folder / "node_modules").symlink_to(built / "node_modules")
    build(folder)
    return folder


def test_the_bundle_that_is_served_now_is_tested_and_shown(browser: Any, built: Path, other: Path) -> None:
    """Opens pages four times, and zips the runtime: ten seconds."""
    with visiting(browser, service_workers="allow") as page:
        with served(built) as address:
            open_page(page, address)
            expect(page.locator("#offline")).to_be_visible(timeout=STARTING_MS)
        # Without a server there is nothing else than the copy, and it says whose it is.
        page.goto(f"{address}selftest.html")
        expect(page).to_have_title("PASS", timeout=STARTING_MS)
        expect(page.locator(".model p").first).to_have_text("mnist-reference, int8")
        with served(other, urlsplit(address).port or 0) as again:
            assert again == address
            page.goto(f"{address}selftest.html")
            expect(page).to_have_title("PASS", timeout=STARTING_MS)
            expect(page.locator(".model p").first).to_have_text("small classes, fp32")
            expect(page.locator("#findings")).to_contain_text("4 samples; ")
            page.goto(address)
            expect(page).to_have_title("small classes")
            choose(page, "grey.png", png(np.full((20, 30, 3), 120, np.uint8)))
            expect(page.locator("#bars .best")).to_have_count(1, timeout=STARTING_MS)
            assert page.locator("#bars .name").all_inner_texts() == ["ant", "bee", 'it\'s a "fly"']
