"""A headless Chromium that keeps an eye on its pages, and a bundle served to it by its own `npm start`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from edgeconv.bundling.browser import ARGUMENTS, chromium

ON_SWIFTSHADER = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
"""Arguments that give a page WebGPU, which SwiftShader computes on the CPU."""


@contextmanager
def launched(*arguments: str, webgpu: bool = False) -> Iterator[Any]:
    """Yield a browser, started with arguments besides, or skip the test: the system's own, for none is downloaded."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'edgeconv[dev]'")
    path = chromium()
    if path is None:
        pytest.skip("needs Chromium")
    with playwright.sync_playwright() as started:
        own = [*(each for each in ARGUMENTS if each != "--disable-gpu"), *ON_SWIFTSHADER] if webgpu else ARGUMENTS
        browser = started.chromium.launch(executable_path=path, args=[*own, *arguments])
        yield browser
        browser.close()


@contextmanager
def served(folder: Path, port: int = 0) -> Iterator[str]:
    """Yield the address at which `npm start` serves a built bundle: at a port, 0 for one that is free."""
    server = subprocess.Popen(
        ["npm", "start", "--silent"],
        cwd=folder,
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        # npm, and the node that it started.
        os.killpg(server.pid, 15)
        server.wait()


@contextmanager
def visiting(browser: Any, *, files: dict[str, bytes] | None = None, **options: Any) -> Iterator[Any]:
    """Yield a page in a profile of its own; afterwards it must have had no errors and asked nobody else.

    Args:
        browser: of `launched`.
        files: what is received instead of the files that are so named.
        options: of Playwright's `new_context`. Service workers are blocked unless it says otherwise.
    """
    context = browser.new_context(**{"service_workers": "block", **options})
    for name, content in (files or {}).items():
        context.route(f"**/{name}", _giving(content))
    page = context.new_page()
    complaints: list[str] = []
    origins: set[str] = set()
    page.on("console", lambda message: complaints.append(message.text) if _complains(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    context.on("request", lambda request: origins.add(urlsplit(request.url.removeprefix("blob:")).netloc))
    yield page
    own = urlsplit(page.url).netloc
    context.close()
    assert not complaints, complaints
    assert origins <= {own}, origins


def _complains(message: Any) -> bool:
    return message.type in {"error", "warning"} and "blocked by Playwright" not in message.text


def _giving(content: bytes) -> Callable[[Any], None]:
    def give(route: Any) -> None:
        kind = "text/javascript" if route.request.url.endswith("js") else "application/octet-stream"
        route.fulfill(body=content, content_type=kind)

    return give
