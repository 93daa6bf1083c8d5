from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

from edgeconv.diagnosis import installation
from edgeconv.diagnosis.installation import cuda_findings, installation_findings

BUILT = {"cuda": "13.0", "cudnn": "9.1"}


def test_one_wheel_with_plugins_beside_it() -> None:
    (found,) = installation_findings(
        {"onnxruntime": "1.32.0", "onnxruntime-ep-webgpu": "0.4", "onnxruntime-qnn": "2.7"}
    )
    assert (found.state, found.text) == ("works", "onnxruntime 1.32.0, CPU build.")
    (own,) = installation_findings()
    assert own.state == "works"


def test_two_wheels_overwrite_each_other() -> None:
    (found,) = installation_findings({"onnxruntime": "1.32.0", "numpy": "2", "onnxruntime-gpu": "1.32.0"})
    assert found.state == "broken"
    assert found.text.startswith("onnxruntime 1.32.0, onnxruntime-gpu 1.32.0 are installed together, ")
    assert found.remedy == "pip uninstall --yes onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu"


@pytest.mark.parametrize(
    ("installed", "states"),
    [
        ({"nvidia-cuda-runtime": "13.0.96", "nvidia-cudnn-cu13": "9.15"}, ["works", "works"]),
        ({"nvidia-cuda-runtime-cu12": "12.8", "nvidia-cudnn-cu13": "9.15"}, ["broken", "works"]),
        ({}, ["note", "note"]),
    ],
)
def test_the_cuda_that_a_wheel_wants(
    monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], states: list[str]
) -> None:
    monkeypatch.setattr(installation.shutil, "which", lambda _: None)
    driver, *found = cuda_findings(installed, BUILT)
    assert (driver.subject, driver.state) == ("nvidia driver", "absent")
    assert [(finding.subject, finding.state) for finding in found] == list(zip(["CUDA", "cuDNN"], states, strict=True))
    assert all(("onnxruntime-gpu[cuda,cudnn]==" in finding.remedy) == (finding.state != "works") for finding in found)


def test_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def stand_in(command: list[str], **_: Any) -> Any:
        return subprocess.CompletedProcess(command, 0, "NVIDIA L4, 570.1\nNVIDIA L4, 570.1\n")

    monkeypatch.setattr(installation.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(installation.subprocess, "run", stand_in)
    assert next(iter(cuda_findings({}, BUILT))).text == "NVIDIA L4, 570.1"


def test_a_wheel_without_cuda_wants_none() -> None:
    assert list(cuda_findings()) == []


def test_a_wheel_that_another_hides_is_not_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As where PYTHONPATH, or the packages of a system below an environment, bring a second one."""
    for name, version in (("onnxruntime", "1.20.0"), ("onnxruntime_gpu", "1.20.0"), ("nvidia_cudnn_cu13", "9.0")):
        (tmp_path / f"{name}-{version}.dist-info").mkdir()
        text = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        (tmp_path / f"{name}-{version}.dist-info" / "METADATA").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = installation_findings()
    assert (found.state, found.text) == ("works", f"onnxruntime {ort.__version__}, CPU build.")
    assert "nvidia-cudnn-cu13 9.0" in [finding.text for finding in cuda_findings(None, BUILT)][2]
