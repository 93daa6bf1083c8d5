"""Run the self-test page of a web bundle in a headless Chromium, with samples of one's own."""

from __future__ import annotations

import functools
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from edgeconv.errors import InferenceError, one_line, require

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
SAMPLES_URL = "/images.bin"
LONGEST_MS = 600_000

# A browser in a container has no sandbox of its own, and no business with the network.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def rows_of_page(app: Path, samples: bytes) -> list[dict[str, Any]]:
    """Open `selftest.html` with the given samples, and return the rows that it leaves.

    Args:
        app: the folder that is served.
        samples: as `selftest.bin` holds them.

    Raises:
        MissingDependencyError: playwright is not installed.
        InferenceError: the page does not answer; it may not be built yet.
    """
    require("playwright", extra="dev", purpose="Running a web bundle")
    from playwright.sync_api import Error, sync_playwright

    with served(app, samples) as address, sync_playwright() as playwright:
        try:
            with playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS)) as browser:
                page = browser.new_page()
                page.goto(f"{address}/selftest.html?samples={SAMPLES_URL}")
                # Not by a condition in JavaScript: the page's policy forbids Playwright to evaluate one there.
                page.locator("#verdict.pass, #verdict.fail").wait_for(timeout=LONGEST_MS)
                text = page.locator("#rows").text_content()
                rows: list[dict[str, Any]] = json.loads(text or "[]")
                return rows
        except (Error, ValueError) as error:
            raise InferenceError(
                f"`{app}` must answer in a browser. Received: {one_line(error)}. "
                "Build it first, with the commands of its README."
            ) from error


def chromium() -> str | None:
    """Return the path of the system's own Chromium; None leaves the choice to Playwright."""
    return next((path for path in map(shutil.which, CHROMIUM) if path), None)


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and the samples under a name of their own."""

    def __init__(self, *args: Any, samples: bytes, **options: Any) -> None:
        self.samples = samples
        super().__init__(*args, **options)

    def do_GET(self) -> None:  # the name that http.server calls
        if self.path != SAMPLES_URL:
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(self.samples)))
        self.end_headers()
        self.wfile.write(self.samples)
        return None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's signature
        del format, args


@contextmanager
def served(app: Path, samples: bytes) -> Iterator[str]:
    """Serve a web bundle on this machine alone, with samples under `SAMPLES_URL`; yield its address."""
    handler = functools.partial(_Handler, directory=str(app), samples=samples)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
