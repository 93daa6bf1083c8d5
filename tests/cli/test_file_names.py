"""A manifest names files of its own folder alone, in every command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("command", ["predict", "evaluate", "benchmark", "bundle", "inspect"])
def test_no_command_opens_what_lies_outside(run: Run, tmp_path: Path, command: str) -> None:
    if command == "inspect":
        pytest.importorskip("onnx", reason="needs the extra `train`")
    shutil.copytree(DATA / "tiny", tmp_path / "own")
    shutil.copytree(DATA / "tiny", tmp_path / "other")
    path = tmp_path / "own" / "manifest.json"
    manifest = json.loads(path.read_text())
    arguments = {
        "predict": ["--model", "own", DATA / "seven.png"],
        "benchmark": ["own", "--seconds", "0.01"],
        "bundle": ["own", "--target", "python"],
    }
    for file in (
        "../other/model.onnx",
        str(tmp_path / "other" / "model.onnx"),
        "..\\other\\model.onnx",
        "model\0.onnx",
    ):
        for variant in manifest["variants"].values():
            variant["file"] = file
        path.write_text(json.dumps(manifest))
        done = run(command, *arguments.get(command, ["own"]))
        assert done.exit_code == 1
        assert f"must name files of its own folder. Received: {file[:20]!r}"[:-1] in done.stderr
        assert len(done.stderr.splitlines()) == 1
