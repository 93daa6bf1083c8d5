"""The self-test of the bundle `node`."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests import variations
from tests.bundling.node.running import PASS, node


def test_npm_test_runs_the_self_test_and_passes(app: Path) -> None:
    done = subprocess.run(["npm", "test"], cwd=app, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(PASS, done.stderr)


def test_its_self_test_prints_a_row_a_sample(app: Path) -> None:
    done = node(app, "selftest.mjs", "selftest.bin", "--rows")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert re.fullmatch(PASS, done.stderr)
    assert [row["sample"] for row in rows] == list(range(16))
    assert list(rows[0]) == ["sample", "label", "errors", "outputs"]
    assert {row["label"] for row in rows} == set(range(10))
    assert all(np.argmax(row["outputs"]["probabilities"]) == row["label"] for row in rows)
    assert all(row["errors"]["prepared"] <= 1 and row["errors"]["probabilities"] <= 0.02 for row in rows)


@pytest.mark.parametrize(
    ("spoil", "step"),
    [
        (variations.with_flipped_polarity, "preparation"),
        (variations.with_nearest_filter, "preparation"),
        (variations.with_disturbed_weights, "inference"),
    ],
)
def test_its_self_test_says_which_step_is_off(app: Path, spoil: Callable[[], bytes], step: str) -> None:
    """Makes another model first, three seconds."""
    (app / "model.e2e.onnx").write_bytes(spoil())
    done = node(app, "selftest.mjs")
    assert done.returncode == 1
    unit = {"preparation": "grey levels", "inference": "in probabilities"}[step]
    verdict = rf'FAIL: {step} is off: sample \d+ \("\d"\) differs by [\d.]+ {unit}, allowed are [\d.]+\n'
    assert re.fullmatch(verdict, done.stderr)


def test_verdicts_name_both_steps_or_only_what_was_reached(app: Path) -> None:
    (app / "liars.mjs").write_text(
        """
        import { selftest } from "./judging.mjs";
        const black = new Uint8Array(28 * 28);
        const run = (passes) => ({ picture: { data, dims } }) => ({
          prepared: {
            type: "uint8", dims: [1, 28, 28, 1], data: passes && String(dims) === "28,28,1" ? data : black,
          },
          probabilities: { type: "float32", dims: [1, 10], data: new Float32Array(10).fill(NaN) },
        });
        for (const passes of [true, false]) {
          const { passed, verdict } = await selftest({ run: run(passes) });
          console.log(JSON.stringify([passed, ...verdict]));
        }
        """
    )
    both, first = map(json.loads, node(app, "liars.mjs").stdout.splitlines())
    assert [line.split(" is off")[0] for line in both[1:]] == ["FAIL: preparation", "FAIL: inference"]
    assert "differs by Infinity" in both[2]
    assert [line.split(" is off")[0] for line in first[1:]] == ["FAIL: preparation"]
    assert (both[0], first[0]) == (False, False)


def test_a_damaged_self_test_is_an_error_in_words(app: Path) -> None:
    whole = (app / "selftest.bin").read_bytes()
    damages = [
        (whole[:-3], "is damaged"),
        (whole + b"abcd", "is damaged"),
        (whole[:16] + bytes(4) + whole[20:72], "is damaged"),
        (whole[:20] + b"\x03" + whole[21:], "is damaged"),
        (whole[:80] + b"\x08" + whole[81:], "is damaged"),
        (whole[:88] + b"\xff" * 8 + whole[96:], "is damaged"),
        (whole[:32] + b"\xff" * 8 + whole[40:], "is damaged"),
        (whole[:40] + b"\x03" + whole[41:], "is damaged"),
        (whole[:40] + bytes(8) + whole[48:], "is damaged"),
        (whole[:92], "is damaged"),
        (b"\x89PNG" + whole[4:], "is no self-test"),
        (whole[:20], "is no self-test"),
        (b"", "is no self-test"),
        (whole[:8] + b"\x01" + whole[9:], "is no self-test of version 3"),
        (whole[:12] + bytes(4) + whole[16:], "is the self-test of another model"),
    ]
    for number, (content, _) in enumerate(damages):
        (app / f"{number}.bin").write_bytes(content)
    (app / "damaged.mjs").write_text(
        """
        import { open } from "./index.mjs";
        import { selftest } from "./judging.mjs";
        const model = await open();
        for (const file of process.argv.slice(2)) {
          await selftest(model, file).catch(({ name, message }) => console.log(`${name}: ${message}`));
        }
        """
    )
    files = [f"{number}.bin" for number in range(len(damages))]
    said = node(app, "damaged.mjs", *files).stdout.splitlines()
    assert said == [f"BundleError: {file}: {words}" for file, (_, words) in zip(files, damages, strict=True)]


def test_errors_of_the_bundle_reach_the_command_line(app: Path) -> None:
    """Starts the programs five times, a second."""
    done = node(app, "selftest.mjs", "absent.bin")
    assert done.returncode == 1
    assert re.fullmatch(r"Error: absent\.bin: cannot be read: ENOENT.*\n", done.stderr)
    assert node(app, "selftest.mjs", "--nonsense").returncode == 2
    assert node(app, "predict.mjs").returncode == 2
    (app / "model.e2e.onnx").write_bytes(b"nonsense")
    for command in (("selftest.mjs",), ("predict.mjs", "picture.png")):
        done = node(app, *command)
        assert done.returncode == 1
        assert re.match(r"Error: .*model\.e2e\.onnx: cannot be loaded: ", done.stderr)
