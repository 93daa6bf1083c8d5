"""What a process really loads when it uses a part of the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FRAMEWORKS = {"tensorflow", "keras", "onnx"}

MOST_MODULES = 46
"""Modules of ours that a start of `edgeconv predict` imports. Each takes a quarter of a millisecond, and each dataclass
in it half of one: import what only some starts need inside the function that needs it."""

PREDICT = (
    f"import sys; sys.argv = ['edgeconv', 'predict', '--model', r'{ROOT / 'tests' / 'data' / 'tiny'}', "
    f"r'{ROOT / 'tests' / 'data' / 'seven.png'}']; from edgeconv.cli.main import main\n"
    "try: main()\nexcept SystemExit as done: assert not done.code"
)


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import edgeconv", {*FRAMEWORKS, "onnxruntime", "numpy", "PIL"}),
        ("import edgeconv; edgeconv.Predictor", {*FRAMEWORKS, "onnxruntime.quantization", "rich"}),
        pytest.param("import edgeconv; edgeconv.export", {*FRAMEWORKS, "onnxruntime", "rich"}, marks=pytest.mark.train),
        ("import edgeconv.cli.main", {*FRAMEWORKS, "onnxruntime", "numpy", "PIL", "rich"}),
        (
            "import sys; sys.argv = ['edgeconv', '--help']; from edgeconv.cli.main import main\n"
            "try: main()\nexcept SystemExit: pass",
            {*FRAMEWORKS, "onnxruntime", "numpy", "PIL", "rich"},
        ),
        (PREDICT, {*FRAMEWORKS, "onnxruntime.quantization", "rich", "tempfile", "subprocess", "concurrent.futures"}),
        # What only some models, variants or options need.
        (PREDICT, {f"edgeconv.runtime.{name}" for name in ("embedded", "results", "saving", "golden", "array_files")}),
    ],
)
def test_a_process_loads_no_more_than_it_needs(statement: str, absent: set[str]) -> None:
    assert not absent & _loaded(statement)


def test_a_start_imports_few_modules() -> None:
    assert len([name for name in _loaded(PREDICT) if name.startswith("edgeconv")]) <= MOST_MODULES


def _loaded(statement: str) -> set[str]:
    """Return what a process has imported, half a second each, away from the sources: the installed package is meant."""
    code = f"{statement}\nimport sys; print('LOADED', *sys.modules)"
    away = ROOT / "tests" / "data"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=away)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])
