from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeconv.runtime import session as session_module
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.processor import int8_overflows
from edgeconv.runtime.session import Session


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "fpu sse avx2", True),
        ("AMD64", "fpu avx2 avx_vnni", False),
        ("x86_64", "avx512f avx512_vnni", False),
        ("x86_64", None, True),
        ("aarch64", None, False),
        ("arm64", "avx2", False),
    ],
)
def test_an_x86_without_vnni_overflows(tmp_path: Path, machine: str, flags: str | None, expected: bool) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if flags is not None:
        cpuinfo.write_text(f"processor\t: 0\nmodel name\t: some avx_vnni marketing\nflags\t\t: {flags}\n")
    assert int8_overflows(machine, cpuinfo) is expected


@pytest.mark.parametrize("overflows", [True, False])
def test_int8_answers_either_way(tiny: Path, monkeypatch: pytest.MonkeyPatch, overflows: bool) -> None:
    """ONNX Runtime must be able to recode the weights: it fails on layers that share a zero point."""
    monkeypatch.setattr(session_module, "int8_overflows", lambda: overflows)
    samples = Samples.load(tiny / "samples.npz")
    answers = Session((tiny / "model.int8.onnx").read_bytes()).run(samples.images)
    np.testing.assert_array_equal(answers.argmax(axis=1), samples.labels)
