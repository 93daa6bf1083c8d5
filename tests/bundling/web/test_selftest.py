"""The self-test on its page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgeconv.bundling.selftest import SelftestSample, Tolerances, encode
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
    assert list(rows[0]) == ["sample", "label", "prepared_error", "probability_error", "probabilities"]
    assert [row["sample"] for row in rows] == list(range(16))
    assert all(np.argmax(row["probabilities"]) == row["label"] for row in rows)


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
        rf'{step} is off: sample \d+ \("\d"\) differs by [\d.]+( grey levels)?, allowed are [\d.]+', findings
    )


def test_its_self_test_takes_other_samples(browser: Any, site: str) -> None:
    """Opens the page anew: three seconds."""
    image = np.zeros((28, 28, 1), np.uint8)
    image[4:24, 12:16] = 250
    unknown = SelftestSample(image, -1, image, np.zeros(10, np.float32))
    content = encode([unknown] * 40, Tolerances(255, 1))
    title, _, rows = selftest(browser, site, "?samples=other.data", other_data=content)
    assert title == "PASS"
    assert [(len(rows), row["label"]) for row in rows[:1]] == [(40, -1)]


def test_samples_that_are_none_are_an_error_in_words(opened: Any, browser: Any, site: str) -> None:
    """Opens the page of the self-test anew: two seconds."""
    # Bytes kept at the beginning, bytes after them, and from where on the rest is kept.
    damaged = {
        "damaged": [(10**9, b"abcd", 10**9), (12, bytes(4), 16), (40, b"\xff" * 12, 52), (48, bytes([2]), 49)],
        "cut short": [(100, b"", 10**9), (10_000, b"", 10**9), (20, b"", 10**9)],
        "no file of samples": [(0, b"\x89PNG", 4), (0, b"", 10**9), (8, b"\x02", 9)],
        "of another model: 28 x 28 x 1 with 11 classes": [(16, b"\x0b", 17)],
    }
    for words, changes in damaged.items():
        for kept, inserted, resumed in changes:
            said = opened.evaluate(
                """async ([kept, inserted, resumed]) => {
                    const { readSamples } = await import("/selftest.js");
                    const whole = new Uint8Array(await (await fetch("/selftest.bin")).arrayBuffer());
                    const parts = [whole.slice(0, kept), new Uint8Array(inserted), whole.slice(resumed)];
                    const changed = await new Blob(parts).arrayBuffer();
                    try { readSamples(changed); } catch (error) { return error.message; }
                }""",
                [kept, list(inserted), resumed],
            )
            assert words in said
    title, findings, _ = selftest(browser, site, "?samples=https://example.com/x.bin")
    assert (title, findings) == ("FAIL", "Samples have to come from this page's own origin.")


def test_verdicts_name_both_steps_or_only_what_was_reached(opened: Any) -> None:
    both, first = opened.evaluate(
        """async () => {
            const { judge, runSample } = await import("/selftest.js");
            const black = new Uint8Array(784), white = new Uint8Array(784).fill(255);
            const run = async (passes) => {
                const predict = async ({ data }) => ({
                    prepared: passes && data === white ? white : black,
                    probabilities: new Float32Array(10).fill(NaN),
                });
                const picture = { data: black, height: 28, width: 28, channels: 1 };
                const sample = { label: 4, picture, prepared: white, probabilities: new Float32Array(10) };
                const limits = { prepared: 1, probabilities: 0.02 };
                return judge([await runSample({ predict }, sample, 1)], limits);
            };
            return [await run(true), await run(false)];
        }"""
    )
    preparation = 'FAIL: preparation is off: sample 0 ("4") differs by 255 grey levels, allowed are 1'
    inference = 'FAIL: inference is off: sample 0 ("4") differs by Infinity, allowed are 0.02'
    assert both == {"passed": False, "findings": [preparation, inference]}
    assert first == {"passed": False, "findings": [preparation]}
