"""What a process really loads when it uses a part of the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import edgeconv", {"tensorflow", "keras", "onnx", "onnxruntime", "numpy", "PIL"}),
        ("import edgeconv; edgeconv.Predictor", {"tensorflow", "keras", "onnx", "onnxruntime.quantization", "rich"}),
        pytest.param(
            "import edgeconv; edgeconv.export",
            {"tensorflow", "keras", "onnx", "onnxruntime", "rich"},
            marks=pytest.mark.train,
        ),
        ("import edgeconv.cli.main", {"tensorflow", "keras", "onnx", "onnxruntime", "numpy", "PIL", "rich"}),
        (
            "import sys; sys.argv = ['edgeconv', '--help']; from edgeconv.cli.main import main\n"
            "try: main()\nexcept SystemExit: pass",
            {"tensorflow", "keras", "onnx", "onnxruntime", "numpy", "PIL", "rich"},
        ),
        (
            f"import sys; sys.argv = ['edgeconv', 'predict', '--model', r'{ROOT / 'tests' / 'data' / 'tiny'}', "
            f"r'{ROOT / 'tests' / 'data' / 'seven.png'}']; from edgeconv.cli.main import main\n"
            "try: main()\nexcept SystemExit as done: assert not done.code",
            {"tensorflow", "keras", "onnx", "onnxruntime.quantization", "rich"},
        ),
    ],
)
def test_a_process_loads_no_more_than_it_needs(statement: str, absent: set[str]) -> None:
    """Starts a process, half a second, away from the sources: the installed package is meant."""
    code = f"{statement}\nimport sys; print('LOADED', *sorted({absent!r} & set(sys.modules)))"
    away = ROOT / "tests" / "data"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=away)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED"
