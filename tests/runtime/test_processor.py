from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from edgeconv.runtime import session as session_module
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.processor import int8_overflows, read_processor
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


X86 = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2 fma\n\nprocessor\t: 1\nmodel name\t: Other\n"
PI = "processor : 0\nFeatures : fp asimd crc32\nCPU part : 0xd08\n\nprocessor : 1\nCPU part : 0xd08\n"
BIG_LITTLE = "processor : 0\nFeatures : asimd asimddp\nCPU part : 0xd05\n\nprocessor : 1\nCPU part : 0xd0b\n"


@pytest.mark.parametrize(
    ("text", "board", "name", "abilities"),
    [
        (X86, None, "Some CPU @ 2 GHz", ("avx2", "fma")),
        (PI, "Raspberry Pi 4 Model B Rev 1.4\0", "0xd08 Raspberry Pi 4 Model B Rev 1.4", ("asimd",)),
        (BIG_LITTLE, None, "0xd05 0xd0b", ("asimd", "asimddp")),
    ],
)
def test_a_processor_is_named(
    tmp_path: Path, text: str, board: str | None, name: str, abilities: tuple[str, ...]
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    if board is not None:
        (tmp_path / "board").write_text(board)
    processor = read_processor(tmp_path / "cpuinfo", tmp_path / "board")
    assert (processor.name, processor.abilities) == (name, abilities)
    assert processor.cores >= 1


def test_a_processor_that_nobody_names_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.processor", lambda: "")
    assert read_processor(tmp_path / "none", tmp_path / "none").name == "unknown"


def test_what_decides_the_speed_decides_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(X86)
    processor = read_processor(tmp_path / "cpuinfo", tmp_path / "none")
    others = [
        dataclasses.replace(processor, name="Another CPU"),
        dataclasses.replace(processor, architecture="riscv64"),
        dataclasses.replace(processor, abilities=("avx2",)),
        dataclasses.replace(processor, cores=processor.cores + 1),
    ]
    prints = {one.fingerprint("1.20.0") for one in (processor, *others)} | {processor.fingerprint("1.21.0")}
    assert len(prints) == 6
    assert processor.fingerprint("1.20.0") == dataclasses.replace(processor).fingerprint("1.20.0")
