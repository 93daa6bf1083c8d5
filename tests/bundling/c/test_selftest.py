from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling.context import BundleContext
from edgeconv.runtime.embedded import EmbeddedModel
from tests.bundling.c.compiling import run, say
from tests.variations import with_disturbed_weights, with_flipped_polarity


def test_the_selftest_is_clean_under_sanitizers(sanitized: Path) -> None:
    made = run(sanitized / "selftest")
    assert made.returncode == 0, made.stderr
    assert made.stderr.startswith("PASS: 16 samples;"), made.stderr
    assert made.stderr.count("\n") == 1


def test_rows_are_the_model_s_answers(context: BundleContext, built: Path, embedded: EmbeddedModel) -> None:
    rows = [json.loads(line) for line in run(built / "selftest", "--rows").stdout.splitlines()]
    assert [row["sample"] for row in rows] == list(range(16))
    for row, sample in zip(rows, context.samples, strict=True):
        assert row["label"] == sample.label
        assert row["errors"]["prepared"] == 0
        answers = row["outputs"]["probabilities"]
        np.testing.assert_allclose(answers, embedded.answer(sample.inputs[0]).probabilities, rtol=1e-6)
        off = np.abs(np.array(answers) - sample.outputs[0]).max()
        assert row["errors"]["probabilities"] == pytest.approx(off, abs=1e-6)


def test_samples_that_are_no_such_samples_are_said(source: Path, sanitized: Path, tmp_path: Path) -> None:
    content = (source / "selftest.bin").read_bytes()
    one = bytearray(content)
    foreign, damaged = "self-test of this model, version 3", "Received: a damaged file"

    def changed(offset: int, layout: str, value: float) -> bytes:
        made = bytearray(one)
        struct.pack_into(layout, made, offset, value)
        return bytes(made)

    cases = {
        "empty": (b"", foreign),
        "magic": (b"EDGECONF" + content[8:], foreign),
        "version": (changed(8, "<I", 1), foreign),
        "fingerprint": (changed(12, "<I", 7), foreign),
        "none": (changed(16, "<I", 0), foreign),
        "outputs": (changed(20, "<I", 3), foreign),
        "limit": (changed(24, "<d", float("nan")), foreign),
        "share": (changed(32, "<d", 1.0), foreign),
        "no cells": (changed(40, "<q", 0), foreign),
        "header": (content[:71], foreign),
        "more": (content + b"\0", damaged),
        "fewer": (changed(16, "<I", 15), damaged),
        "many": (changed(16, "<I", 2**32 - 1), damaged),
        "cut": (content[:-1], damaged),
        "sample": (content[:82], damaged),
        "label": (changed(72, "<q", -2), damaged),
        "odd cells": (changed(40, "<q", 3), damaged),
        "type": (changed(80, "<I", 8), damaged),
        "axes": (changed(84, "<I", 13), damaged),
        "wide": (changed(88, "<q", 2**62), damaged),
        "negative": (changed(88, "<q", -1), damaged),
        "large": (changed(88, "<q", 2**21), damaged),
    }
    for name, (samples, words) in cases.items():
        (tmp_path / name).write_bytes(samples)
        assert words in say(run(sanitized / "selftest", tmp_path / name)), name
    assert "No such file or directory" in say(run(sanitized / "selftest", tmp_path / "absent"))


def test_a_wrong_preparation_is_named(source: Path, sanitized: Path, tmp_path: Path) -> None:
    (tmp_path / "flipped.onnx").write_bytes(with_flipped_polarity())
    (verdict,) = say(run(sanitized / "selftest", "--model", tmp_path / "flipped.onnx")).splitlines()
    assert re.fullmatch(
        r'FAIL: preparation is off: sample \d+ \("\d"\) differs by \d{2,3} grey levels, allowed are 1', verdict
    )


def test_disturbed_weights_are_named(source: Path, sanitized: Path, tmp_path: Path) -> None:
    (tmp_path / "disturbed.onnx").write_bytes(with_disturbed_weights())
    made = run(sanitized / "selftest", "--rows", "--model", tmp_path / "disturbed.onnx")
    (verdict,) = say(made).splitlines()
    off = r'FAIL: inference is off: sample \d+ \("\d"\) differs by 0\.\d+ in probabilities, allowed are 0\.02'
    assert re.fullmatch(off, verdict)
    errors = [json.loads(line)["errors"] for line in made.stdout.splitlines()]
    assert max(error["probabilities"] for error in errors) > 0.02
