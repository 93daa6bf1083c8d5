"""The self-test of the bundle `python`."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests import variations
from tests.bundling.python.running import PASS, run


def test_its_self_test_passes(copy: Path) -> None:
    done = run(copy, "--selftest")
    assert re.fullmatch(PASS, done.stderr)
    assert (done.returncode, done.stdout) == (0, "")


def test_its_self_test_prints_a_row_a_sample(copy: Path) -> None:
    rows = [json.loads(line) for line in run(copy, "--selftest", "--rows").stdout.splitlines()]
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
def test_its_self_test_says_which_step_is_off(copy: Path, spoil: Callable[[], bytes], step: str) -> None:
    """Makes another model first, three seconds."""
    (copy / "model" / "model.e2e.onnx").write_bytes(spoil())
    done = run(copy, "--selftest")
    assert done.returncode == 1
    assert re.fullmatch(
        rf'FAIL: {step} is off: sample \d+ \("\d"\) differs by [\d.]+ (grey levels|in prob\w+), allowed are [\d.]+\n',
        done.stderr,
    )


def test_both_steps_can_be_off(package: ModuleType) -> None:
    class Liar:
        """Prepares pictures wrong, but passes prepared ones through, and answers them wrong."""

        def run(self, arrays: dict[str, Any]) -> dict[str, Any]:
            picture = arrays["picture"]
            prepared = picture if picture.shape == (28, 28, 1) else np.zeros((28, 28, 1), np.uint8)
            return {"probabilities": np.full((1, 10), np.nan, np.float32), "prepared": prepared[None]}

    report = package.selftest(Liar())
    assert not report.passed
    assert [line.split(" is off")[0] for line in report.verdict] == ["FAIL: preparation", "FAIL: inference"]
    assert "differs by inf in probabilities" in report.verdict[1]


class _Blind:
    """Is fed nothing, whatever it is given."""

    def __init__(self, classes: int = 10) -> None:
        self.answer = np.zeros((1, classes), np.float32)

    def run(self, _: Any) -> dict[str, Any]:
        return {"probabilities": self.answer, "prepared": np.zeros((1, 28, 28, 1), np.uint8)}


def test_inference_is_not_judged_where_the_net_cannot_be_fed(package: ModuleType) -> None:
    report = package.selftest(_Blind())
    assert [row.errors["probabilities"] for row in report.rows] == [None] * 16
    assert len(report.verdict) == 1
    assert report.verdict[0].startswith("FAIL: preparation is off")


def test_an_answer_of_another_shape_is_another_models(package: ModuleType) -> None:
    with pytest.raises(package.BundleError, match="is not the one that this file was made for"):
        package.selftest(_Blind(classes=11))


def _cut(data: bytes) -> bytes:
    return data[:-3]


def _more(data: bytes) -> bytes:
    return data + b"abcd"


def _foreign(data: bytes) -> bytes:
    return b"\x89PNG" + data[4:]


def _other_model(data: bytes) -> bytes:
    return data[:12] + struct.pack("<I", 11) + data[16:]


def _no_samples(data: bytes) -> bytes:
    return data[:16] + bytes(4) + data[20:72]


def _huge_picture(data: bytes) -> bytes:
    return data[:88] + struct.pack("<2q", 2**40, 2**40) + data[104:]


def _odd_type(data: bytes) -> bytes:
    return data[:80] + struct.pack("<I", 99) + data[84:]


def _no_limit(data: bytes) -> bytes:
    return data[:32] + struct.pack("<d", 1.5) + data[40:]


def _odd_cells(data: bytes) -> bytes:
    return data[:40] + struct.pack("<q", 3) + data[48:]


def _empty_cells(data: bytes) -> bytes:
    return data[:40] + struct.pack("<q", 0) + data[48:]


DAMAGES = [
    (_cut, "is damaged"),
    (_more, "is damaged"),
    (_no_samples, "is damaged"),
    (_huge_picture, "is damaged"),
    (_foreign, "is no self-test"),
    (_odd_type, "is damaged"),
    (_no_limit, "is damaged"),
    (_odd_cells, "is damaged"),
    (_empty_cells, "is damaged"),
    (lambda data: data[:8] + bytes([1]) + data[9:], "is no self-test of version 3"),
    (_other_model, "is the self-test of another model"),
    (lambda data: data[:20], "is no self-test"),
    (lambda _: b"", "is no self-test"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_a_damaged_self_test_is_an_error_in_words(
    copy: Path, package: ModuleType, damage: Callable[[bytes], bytes], words: str
) -> None:
    file = copy / "other.bin"
    file.write_bytes(damage((copy / "model" / "selftest.bin").read_bytes()))
    with pytest.raises(package.BundleError, match=rf"other\.bin: {words}"):
        package.selftest(package.Model(), file)


def test_errors_of_the_bundle_reach_the_command_line(copy: Path) -> None:
    """Starts the program four times."""
    done = run(copy, "--selftest", "absent.bin")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: absent.bin: cannot be read: No such file or directory\n"
    assert run(copy).returncode == 2
    assert run(copy, "a.png", "--selftest").returncode == 2
    (copy / "model" / "model.e2e.onnx").write_bytes(b"nonsense")
    done = run(copy, "--selftest")
    assert done.returncode == 1
    assert re.match(r"Error: .*model\.e2e\.onnx: cannot be loaded: ", done.stderr)
