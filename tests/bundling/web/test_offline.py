"""The page without a network, and installed."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.browsing import visiting
from tests.bundling.web.driving import (
    SEVEN,
    STARTING_MS,
    answer,
    build,
    draw,
    expect,
    open_page,
)


def test_it_opens_and_answers_offline_after_the_first_visit(browser: Any, site: str, built: Path) -> None:
    """Opens the page four times: ten seconds."""
    with visiting(browser, service_workers="allow") as page:
        open_page(page, site)
        expect(page.locator("#offline")).to_be_visible(timeout=STARTING_MS)
        page.context.set_offline(True)
        open_page(page, f"{site}?from=home")
        draw(page, SEVEN)
        assert answer(page)[0] == "7"
        page.goto(f"{site}selftest.html")
        expect(page).to_have_title("PASS", timeout=STARTING_MS)
        page.context.set_offline(False)

        # A new build takes the place of the old one.
        (old,) = page.evaluate("() => caches.keys()")
        style = built / "app" / "style.css"
        style.write_text(style.read_text() + "\n/* changed */\n")
        build(built)
        open_page(page, site)
        new = f"{site} {re.search(r'[0-9a-f]{16}', (built / 'app' / 'precache.js').read_text())[0]}"
        assert new != old
        for _ in range(50):
            if page.evaluate("() => caches.keys()") == [new]:
                break
            page.wait_for_timeout(100)
        assert page.evaluate("() => caches.keys()") == [new]
        assert "changed" in page.evaluate("async () => (await fetch('style.css')).text()")


def test_what_the_page_loads_is_small(browser: Any, site: str, built: Path) -> None:
    """Gzipped, as hosts send it; opens the page anew: two seconds."""
    with visiting(browser) as page:
        names: set[str] = set()
        page.context.on("request", lambda request: names.add(request.url.removeprefix(site).split("?")[0]))
        open_page(page, site)
    assert {"", "app.js", "worker.js", "model.e2e.onnx", "ort/ort-wasm-simd-threaded.wasm"} <= names
    files = [built / "app" / (name or "index.html") for name in names]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 4.5e6


def test_it_can_be_installed(opened: Any, built: Path) -> None:
    link = opened.locator("link[rel=manifest]").get_attribute("href")
    manifest = json.loads((built / "app" / link).read_text())
    assert (manifest["name"], manifest["display"]) == ("mnist-reference", "standalone")
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        assert ElementTree.parse(built / "app" / icon["src"]).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    devtools = opened.context.new_cdp_session(opened)
    assert devtools.send("Page.getAppManifest")["errors"] == []
    assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],
    )
