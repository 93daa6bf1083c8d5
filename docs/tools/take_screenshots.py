"""The pictures of report.html and of the web bundle in the README and the tutorial, taken with Chromium.

    PYTHONPATH=. python docs/tools/take_screenshots.py ARTIFACT

ARTIFACT is a folder that `edgeconv export --quantize` wrote. npm builds the bundle.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

import edgeconv
from tests.browsing import launched, served

IMAGES = Path(__file__).parents[1] / "images"
PHOTOGRAPH = Path(__file__).parents[2] / "tests" / "data" / "seven.png"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5, "is_mobile": True}
COLORS = 128
"""Of a picture's palette: enough for a page, and a third of the bytes."""

SETTLING_MS = 1500
"""Until the bars have grown to their lengths."""

SEVEN = ((0.28, 0.27), (0.71, 0.25), (0.6, 0.5), (0.46, 0.79))
"""Where the pen goes, in shares of the stage."""


def main(artifact: Path) -> None:
    """Take all three pictures."""
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        app = Path(folder) / "app"
        edgeconv.bundle(artifact, target="web", out=app)
        for command in ("install --ignore-scripts --no-audit --no-fund --silent", "run build --silent"):
            subprocess.run(["npm", *command.split()], cwd=app, check=True, stdout=sys.stderr)
        with served(app) as address:
            page = browser.new_page(viewport={"width": 900, "height": 736})
            page.goto(address)
            page.get_by_text("Ready when you are.").wait_for()
            _draw(page)
            page.locator("#sure").filter(has_text="%").wait_for()
            page.wait_for_timeout(SETTLING_MS)
            _save(page, "web-bundle.png")
            phone = browser.new_context(**PHONE).new_page()
            phone.goto(address)
            phone.get_by_text("Ready when you are.").wait_for()
            phone.set_input_files("#file", PHOTOGRAPH)
            phone.locator("#sure").filter(has_text="%").wait_for()
            phone.wait_for_timeout(SETTLING_MS)
            _save(phone, "phone.png")
        page = browser.new_page(viewport={"width": 1000, "height": 764})
        page.goto((artifact / "report.html").resolve().as_uri())
        _save(page, "report.png")


def _draw(page: Any) -> None:
    box = page.locator("#stage").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=12)
    page.mouse.up()


def _save(page: Any, name: str) -> None:
    page.screenshot(path=IMAGES / name)
    Image.open(IMAGES / name).convert("RGB").quantize(COLORS).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
