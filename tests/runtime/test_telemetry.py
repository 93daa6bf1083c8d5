"""Nothing goes home: ONNX Runtime's telemetry is off before the runtime is loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

VARIABLE = "ORT_DISABLE_TELEMETRY"
PREDICT = "import edgeconv; print(edgeconv.Predictor({tiny!r}).manifest.name); "

LOOK_UP_S = 12
"""ONNX Runtime 1.32 looks its collector's name up 9 seconds after it is loaded."""


def _environment(home: Path) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if name != VARIABLE}, "HOME": str(home)}


def _run(code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_a_prediction_leaves_no_file_in_the_home_folder(tiny: Path, tmp_path: Path) -> None:
    """Starts a process."""
    assert "tiny" in _run(PREDICT.format(tiny=str(tiny)), _environment(tmp_path))
    assert list(tmp_path.rglob("*")) == []


def test_who_sets_the_variable_himself_wins() -> None:
    code = f"import os, edgeconv; print(os.environ[{VARIABLE!r}])"
    assert _run(code, {**os.environ, VARIABLE: "0"}) == "0\n"


def test_a_prediction_looks_up_no_name_and_opens_no_socket(tiny: Path, tmp_path: Path) -> None:
    """Sleeps until the telemetry would have asked for its collector, 12 seconds."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    trace = tmp_path / "trace"
    watch = ["strace", "-f", "-qq", "-e", "trace=%network", "-e", "signal=none", "-o", str(trace)]
    code = PREDICT.format(tiny=str(tiny)) + f"import time; time.sleep({LOOK_UP_S})"
    subprocess.run([*watch, sys.executable, "-c", code], capture_output=True, check=True, env=_environment(tmp_path))
    assert trace.read_text() == ""
