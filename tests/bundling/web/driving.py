"""The page of a web bundle, used in a headless Chromium as people use it."""

from __future__ import annotations

import re
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SEVEN = ((0.28, 0.25), (0.72, 0.25), (0.45, 0.8))


ONE = ((0.5, 0.2), (0.47, 0.82))


READY = "Ready when you are."


STARTING_MS = 20_000
"""Compiling ONNX Runtime takes two seconds, more where other tests run too."""


POLICY = re.compile(r"default-src 'none'[^\"\n]*")


def build(folder: Path) -> str:
    command = ["npm", "run", "build", "--silent"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def expect(what: Any) -> Any:
    from playwright.sync_api import expect as expect_

    return expect_(what)


def open_page(page: Any, address: str) -> None:
    page.goto(address)
    expect(page.locator("#sure")).to_have_text(READY, timeout=STARTING_MS)


def draw(page: Any, places: tuple[tuple[float, float], ...]) -> None:
    box = page.locator("#stage").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=10)
    page.mouse.up()


def choose(page: Any, name: str, content: bytes, mime: str = "image/png") -> None:
    page.locator("#file").set_input_files({"name": name, "mimeType": mime, "buffer": content})


def answer(page: Any) -> tuple[str, float]:
    """Wait for an answer, and return the class and its probability; large pictures take seconds on a busy machine."""
    expect(page.locator("#sure")).to_have_text(re.compile(r"^[\d.]+\s% sure$"), timeout=30_000)
    return page.locator("#label").inner_text(), float(page.locator("#sure").inner_text().split()[0]) / 100


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, "PNG")
    return file.getvalue()
