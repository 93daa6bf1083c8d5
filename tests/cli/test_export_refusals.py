"""Refusals of `edgeconv export` as the shell sees them: exit 1, one line, and nothing written."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.train
pytest.importorskip("keras", reason="needs the extra `train`")


def _export(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from edgeconv.cli.main import main; main()"
    command = [sys.executable, "-c", code, "export", *arguments, "--out", "out"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _archive(path: Path, config: object) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", b"no weights")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("cut.keras", b"PK\x03\x04 and no more", "must be a whole .keras file"),
        ("model.h5", b"no HDF5", "model.h5"),
        (
            "lambda.keras",
            {"class_name": "Lambda", "module": "keras.layers", "config": {"name": "evil"}},
            "lambda.keras",
        ),
        ("gadget.keras", {"class_name": "system", "module": "os", "config": {}}, "gadget.keras"),
    ],
)
def test_a_hostile_file_is_refused_in_one_line(tmp_path: Path, name: str, content: object, problem: str) -> None:
    """Starts two processes each; neither brings TensorFlow up."""
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        _archive(path, content)
    ended = _export(tmp_path, name)
    assert ended.returncode == 1
    assert ended.stdout == ""
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("Model: ")]
    assert len(lines) == 1
    assert problem in lines[0]
    assert {item.name for item in tmp_path.iterdir()} == {name}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--opset", "5"], "opset"),
        (["--min-runtime", "0.5"], "min_runtime"),
        (["--batch", "0"], "batch"),
        (["--max-minutes", "0"], "max_minutes"),
        (["--labels", "absent.txt"], "`labels` must be names"),
    ],
)
def test_an_option_that_cannot_be_is_a_usage_error(run: Run, options: list[str], problem: str) -> None:
    ended = run("export", "absent.keras", *options)
    assert ended.exit_code == 2
    assert problem in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_conversion_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    _archive(tmp_path / "m.keras", {})
    ended = _export(tmp_path, "m.keras", "--max-minutes", "0.0001")
    assert ended.returncode == 1
    assert "must end within" in ended.stderr
    assert "--max-minutes" in ended.stderr
