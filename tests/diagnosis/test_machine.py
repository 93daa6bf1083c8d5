from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeconv.diagnosis import machine
from edgeconv.diagnosis.machine import cache_findings, machine_findings, telemetry_finding
from edgeconv.runtime.processor import Processor


@pytest.mark.parametrize(
    ("architecture", "abilities", "overflows", "state", "remedy"),
    [
        ("x86_64", ("avx2", "avx512_vnni"), False, "works", ""),
        ("x86_64", ("avx2",), True, "note", "edgeconv export --quantize --target avx2"),
        ("aarch64", ("asimd", "asimddp", "i8mm"), False, "works", "edgeconv export --quantize --target arm64"),
        ("aarch64", ("asimd",), False, "note", "edgeconv export --quantize --target arm64"),
    ],
)
def test_what_follows_for_int8(
    architecture: str, abilities: tuple[str, ...], overflows: bool, state: str, remedy: str
) -> None:
    found = next(iter(machine_findings(Processor(architecture, "Chip", abilities, 1), overflows=overflows)))
    assert (found.subject, found.state, found.remedy) == ("processor", state, remedy)
    assert found.text.startswith(f"Chip ({architecture}; ")


def test_fewer_cores_and_less_memory_than_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(machine, "_total", lambda: 8_000_000_000)
    monkeypatch.setattr(machine, "memory_allowed", lambda: 2_000_000_000)
    _, cores, memory = machine_findings(Processor("x86_64", "Chip", (), 2), overflows=False)
    assert (cores.state, cores.text[:20]) == ("note", "2 of 8 may be used. ")
    assert cores.remedy.startswith("--threads 2 at most")
    assert memory.state == "note"
    assert "The machine has 8.0 GB" in memory.text
    monkeypatch.setattr(machine, "memory_allowed", lambda: 8_000_000_000)
    assert [found.state for found in machine_findings(Processor("x86_64", "Chip", (), 8), overflows=False)] == [
        "works"
    ] * 3


@pytest.mark.parametrize(("value", "state"), [("1", "works"), ("0", "note"), ("", "note")])
def test_telemetry(monkeypatch: pytest.MonkeyPatch, value: str, state: str) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", value)
    found = telemetry_finding()
    assert (found.state, "ORT_DISABLE_TELEMETRY=1" in found.remedy) == (state, state == "note")


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGECONV_CACHE", str(tmp_path / "new"))
    assert [found.state for found in cache_findings()] == ["works"]
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").touch()
    monkeypatch.setenv("EDGECONV_CACHE", str(tmp_path / "file"))
    assert [found.state for found in cache_findings()] == ["broken", "broken"]
