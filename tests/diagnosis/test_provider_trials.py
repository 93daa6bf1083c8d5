"""Providers tried in processes of their own; plugins that crash, hang or lie stand in for bad drivers."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

import edgeconv
from edgeconv.diagnosis import provider_trials, trial
from edgeconv.diagnosis.provider_trials import provider_findings, tried
from edgeconv.errors import ConfigError
from edgeconv.progress import SILENT
from edgeconv.runtime.providers import CPU, PLUGINS_VARIABLE, short_name

CHATTER = "import atexit; atexit.register(print, 'Good bye.')"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "stand_in").mkdir()
    return tmp_path / "stand_in" / "__init__.py"


def test_the_model_of_the_trial_is_this_one() -> None:
    onnx = pytest.importorskip("onnx", reason="the runtime has no onnx")
    weights = (np.arange(36).reshape(2, 2, 3, 3) % 7 - 3).astype(np.float32) / 8
    matrix = (np.arange(96).reshape(32, 3) % 5 - 2).astype(np.float32) / 4
    make = onnx.helper
    nodes = [
        make.make_node("Conv", ["x", "w"], ["a"], kernel_shape=[3, 3]),
        make.make_node("Relu", ["a"], ["b"]),
        make.make_node("Flatten", ["b"], ["c"]),
        make.make_node("MatMul", ["c", "m"], ["y"]),
    ]
    ends = [make.make_tensor_value_info("x", 1, trial.SHAPE), make.make_tensor_value_info("y", 1, (1, 3))]
    constants = [onnx.numpy_helper.from_array(weights, "w"), onnx.numpy_helper.from_array(matrix, "m")]
    graph = make.make_graph(nodes, "trial", ends[:1], ends[1:], constants)
    assert onnx.load_from_string(trial.MODEL).graph == graph


def test_a_plugin_without_a_device_is_in_want_of_a_driver(package: Path) -> None:
    """Starts a process."""
    package.write_text("EP_NAME = 'x'; library_path = lambda: '/no.so'")
    assert tried("WebGpuExecutionProvider", "stand_in", 60.0).remedy.startswith("apt-get install libvulkan1")


def test_the_cpu_computes_right() -> None:
    """Starts a process."""
    assert tried(CPU, "", 60.0).as_dict() == {
        "subject": "cpu",
        "state": "works",
        "text": "CPUExecutionProvider computes right.",
        "remedy": "",
    }


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import os; os.abort()", r"Its process crashed \(SIGABRT\)\."),
        ("import os; os._exit(7)", r"Its process crashed \(exit code 7\)\."),
        ("import time; time.sleep(60)", r"It did not answer within 4 seconds\."),
        ("raise OSError('libwrong.so: wrong ELF class')", r"Listed, but broken\. .*wrong ELF class"),
        (
            "import atexit; atexit.register(print, 'chatter')\nEP_NAME = 'x'\ndef library_path(): return '/no.so'",
            r"Listed, but broken\. .*/no\.so",
        ),
    ],
)
def test_a_bad_driver_ends_a_process_of_its_own(package: Path, source: str, told: str) -> None:
    """Starts a process each."""
    package.write_text(source)
    finding = tried("", "stand_in", 4.0)
    assert (finding.subject, finding.state) == ("stand_in", "broken")
    assert re.search(told, finding.text)


def test_one_that_computes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = trial.run_native

    def wrong(session: str, *arguments: object) -> list[np.ndarray]:
        provider, session = session  # type: ignore[misc]
        return [answer * (1.0 if provider == CPU else 0.5) for answer in plain(session, *arguments)]

    monkeypatch.setattr(
        trial, "open_session", lambda model, name, _: (name, ort.InferenceSession(model, providers=[CPU]))
    )
    monkeypatch.setattr(trial, "run_native", wrong)
    found = trial.try_provider("CUDAExecutionProvider:1")
    assert found["provider"] == "CUDAExecutionProvider"
    assert found["reason"].startswith("It computes wrong: `y` differs by ")


def test_what_is_listed_is_tried_and_what_is_not_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    listed = ["CUDAExecutionProvider", "AzureExecutionProvider", CPU]
    monkeypatch.setattr(ort, "get_available_providers", lambda: listed)
    monkeypatch.setenv(PLUGINS_VARIABLE, "own_package")

    def stand_in(provider: str, plugin: str, timeout: float) -> provider_trials.Finding:
        asked.append((provider, plugin, timeout))
        return provider_trials.Finding(short_name(provider) or plugin, "works", "")

    monkeypatch.setattr(provider_trials, "tried", stand_in)
    found = {finding.subject: finding for finding in provider_findings(None, 9.0, SILENT)}
    assert asked == [("CUDAExecutionProvider", "", 9.0), (CPU, "", 9.0), ("", "own_package", 9.0)]
    assert (found["webgpu"].state, found["webgpu"].remedy) == ("absent", "pip install onnxruntime-ep-webgpu")
    assert ("dml" in found, "coreml" in found) == (sys.platform == "win32", sys.platform == "darwin")
    asked.clear()
    assert [finding.subject for finding in provider_findings("cuda:1", 9.0, SILENT)] == ["cuda:1"]
    assert asked == [("CUDAExecutionProvider:1", "", 9.0)]
    assert "cpu" not in {finding.subject for finding in provider_findings("gpu", 9.0, SILENT)}


def test_what_was_asked_for_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts a process for the CPU."""
    assert edgeconv.diagnose("cpu").works
    absent = edgeconv.diagnose("qnn")
    assert not absent.works
    assert [finding.state for finding in absent.findings if finding.subject == "qnn"] == ["absent"]
    monkeypatch.setattr("edgeconv.diagnosis.diagnose.provider_findings", lambda *_: ())
    assert edgeconv.diagnose().works
    with pytest.raises(ConfigError, match=r"`device` must be one of auto, cpu, gpu"):
        edgeconv.diagnose("tpu")
