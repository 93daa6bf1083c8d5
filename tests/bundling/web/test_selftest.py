"""The self-test on its page."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.bundling.selftest import Limit, SelftestSample, encode
from tests import variations
from tests.browsing import visiting
from tests.bundling.web.driving import (
    STARTING_MS,
    expect,
)


def selftest(browser: Any, site: str, query: str = "", **files: bytes) -> tuple[str, str, list[dict[str, Any]]]:
    """Return the title, the findings and the rows."""
    named = {name.replace("_", "."): content for name, content in files.items()}
    with visiting(browser, files=named) as page:
        page.goto(f"{site}selftest.html{query}")
        expect(page).to_have_title(re.compile("^(PASS|FAIL)$"), timeout=STARTING_MS)
        rows = page.locator("#rows")
        text = rows.text_content() if rows.count() else "[]"
        return page.title(), page.locator("#findings").inner_text(), json.loads(text)


def test_its_self_test_passes(browser: Any, site: str) -> None:
    """Opens the page anew and runs 16 samples: four seconds."""
    title, findings, rows = selftest(browser, site)
    assert title == "PASS"
    assert re.fullmatch(
        r"16 samples; preparation within [01] of 1 grey levels, probabilities within 0\.\d+ of 0\.\d+", findings
    )
    assert list(rows[0]) == ["sample", "label", "errors", "outputs"]
    assert [row["sample"] for row in rows] == list(range(16))
    assert all(np.argmax(row["outputs"]["probabilities"]) == row["label"] for row in rows)


@pytest.mark.parametrize(
    ("spoil", "step"),
    [
        (variations.with_flipped_polarity, "preparation"),
        (variations.with_nearest_filter, "preparation"),
        (variations.with_disturbed_weights, "inference"),
    ],
)
def test_its_self_test_says_which_step_is_off(browser: Any, site: str, spoil: Callable[[], bytes], step: str) -> None:
    """Makes another model and opens the page anew: six seconds."""
    title, findings, _ = selftest(browser, site, model_e2e_onnx=spoil())
    assert title == "FAIL"
    assert re.fullmatch(
        rf'{step} is off: sample \d+ \("\d"\) differs by [\d.]+ (grey levels|in probabilities), allowed are [\d.]+',
        findings,
    )


def test_its_self_test_names_the_model(browser: Any, site: str, built: Path) -> None:
    """Opens the page anew: three seconds."""
    with visiting(browser) as page:
        page.goto(f"{site}selftest.html")
        expect(page).to_have_title("PASS", timeout=STARTING_MS)
        digest = hashlib.sha256((built / "app" / "model.e2e.onnx").read_bytes()).hexdigest()
        assert page.locator(".model p").all_inner_texts() == ["mnist-reference, int8", f"SHA-256 {digest}"]


def test_its_self_test_takes_other_samples(browser: Any, site: str) -> None:
    """Opens the page anew: three seconds."""
    image = np.zeros((28, 28, 1), np.uint8)
    image[4:24, 12:16] = 250
    unknown = SelftestSample((image,), (np.zeros((1, 10), np.float32), image[None]))
    content = encode([unknown] * 40, (Limit(1.0), Limit(255.0)), variations.shipped().interface.fingerprint)
    title, _, rows = selftest(browser, site, "?samples=other.data", other_data=content)
    assert title == "PASS"
    assert [(len(rows), row["label"]) for row in rows[:1]] == [(40, -1)]


def test_samples_that_are_none_are_an_error_in_words(opened: Any, browser: Any, site: str) -> None:
    """Opens the page of the self-test anew: two seconds."""
    # Bytes kept at the beginning, bytes after them, and from where on the rest is kept.
    damaged = {
        "is damaged": [
            (10**9, b"abcd", 10**9),
            (16, bytes(4), 20),
            (20, b"\x03", 21),
            (80, b"\x08", 81),
            (88, b"\xff" * 8, 96),
            (40, b"\x03", 41),
            (132, b"", 10**9),
        ],
        "is no self-test": [(0, b"\x89PNG", 4), (0, b"", 10**9), (20, b"", 10**9)],
        "is no self-test of version 3": [(8, b"\x01", 9)],
        "is the self-test of another model": [(12, bytes(4), 16)],
    }
    for words, changes in damaged.items():
        for kept, inserted, resumed in changes:
            said = opened.evaluate(
                """async ([kept, inserted, resumed]) => {
                    const { parseSamples } = await import("/samples.mjs");
                    const whole = new Uint8Array(await (await fetch("/selftest.bin")).arrayBuffer());
                    const parts = [whole.slice(0, kept), new Uint8Array(inserted), whole.slice(resumed)];
                    const changed = new Uint8Array(await new Blob(parts).arrayBuffer());
                    try { parseSamples(changed, "x.bin"); } catch (error) { return error.message; }
                }""",
                [kept, list(inserted), resumed],
            )
            assert said == f"x.bin: {words}"
    title, findings, _ = selftest(browser, site, "?samples=https://example.com/x.bin")
    assert (title, findings) == ("FAIL", "Samples have to come from this page's own origin.")
