"""Cold start of built bundles, from nothing to the answer to one picture, in turn, as whole processes.

``python tests/benchmarks/bench_bundles.py BUNDLE...`` prints the medians, the ratios to `edgeconv predict`, and what
each takes on disk. A web bundle is timed by a headless Chromium that is new each time: until the page is ready, and
until it has answered. Each bundle must be built, with the commands of its README; a quiet machine is needed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from edgeconv.bundling.browser import ARGUMENTS, chromium, served
from edgeconv.bundling.inventory import read_inventory

PICTURE = Path(__file__).parents[1] / "data" / "seven.png"
PROGRAMS = {
    "python": [".venv/bin/python", "predict.py"],
    "node": ["node", "predict.mjs"],
    "c": ["build/predict"],
}
"""What answers a picture, in a bundle's folder. Where a Python bundle has no .venv, this Python runs it."""

Timer = Callable[[], dict[str, float]]


def main() -> None:
    """Time every bundle once a round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    predict = [str(Path(sys.executable).parent / "edgeconv"), "predict", str(PICTURE)]
    timers: dict[str, Timer] = {"edgeconv predict": _process(predict, PICTURE.parent)}
    sizes = {}
    for folder in options.bundles:
        inventory = read_inventory(folder)
        timers[inventory["target"]] = _timer(folder, inventory["target"])
        sizes[inventory["target"]] = sum(entry["size_bytes"] for entry in inventory["files"].values())
    times: dict[str, list[float]] = {}
    for number in range(options.runs + 1):
        for name, timer in timers.items():
            for step, seconds in timer().items():
                if number:  # The first round warms the disk's cache.
                    times.setdefault(f"{name}{step}", []).append(seconds)
    base = times["edgeconv predict"]
    for name, taken in times.items():
        ratio = median(own / peer for own, peer in zip(taken, base, strict=True))
        row = {"what": name, "median_ms": round(1000 * median(taken), 1), "ratio": round(ratio, 2)}
        print(json.dumps({**row, "bundle_bytes": sizes.get(name.partition(":")[0])}))


def _timer(folder: Path, target: str) -> Timer:
    if target == "web":
        return _page(folder / "app")
    program, *arguments = PROGRAMS[target]
    local = folder / program
    first = str(local.absolute()) if local.exists() else sys.executable if target == "python" else program
    return _process([first, *arguments, str(PICTURE)], folder)


def _process(command: list[str], folder: Path) -> Timer:
    def run() -> dict[str, float]:
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        return {"": time.perf_counter() - start}

    return run


def _page(app: Path) -> Timer:
    from playwright.sync_api import sync_playwright

    def run() -> dict[str, float]:
        with served(app, b"") as address, sync_playwright() as playwright:
            browser: Any = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
            page = browser.new_page()
            start = time.perf_counter()
            page.goto(f"{address}/index.html")
            page.locator("#sure", has_text="Ready when you are").wait_for()
            ready = time.perf_counter() - start
            page.locator("#file").set_input_files(str(PICTURE))
            page.locator("#label", has_text="7").wait_for()
            answered = time.perf_counter() - start
            browser.close()
        return {": ready": ready, ": answered": answered}

    return run


if __name__ == "__main__":
    main()
