"""What strangers put into a lone `.onnx` ends in an answer or in an error of ours, in every command."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from tests.cli.conftest import Run
from tests.hostile import GRAPHS, ROW, TINY, graph_of, large_graph, output, write

SEVEN = Path(__file__).parents[1] / "data" / "seven.png"

SOUND = {"whole numbers", "two outputs", "another name", "an unknown kind", "no variants"}
"""What `predict` answers nevertheless."""


@pytest.mark.parametrize("wrong", GRAPHS)
def test_no_command_ends_with_a_traceback(run: Run, tmp_path: Path, wrong: str) -> None:
    path = GRAPHS[wrong](tmp_path / "model.onnx")
    calls = {
        "predict": ["--model", path, SEVEN],
        "inspect": [path],
        "benchmark": [path, "--seconds", "0.001", "--max-batch", "1", "--max-threads", "1"],
        "evaluate": [path],
        "bundle": [path, "--target", "python"],
    }
    for command, arguments in calls.items():
        done = run(command, *arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), (command, done.exception)
        if command == "predict":
            assert done.exit_code == (0 if wrong in SOUND else 1)
            assert wrong in SOUND or len(done.stderr.splitlines()) == 1
        for line in done.stdout.splitlines():
            json.loads(line, parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("tags", ROW),
        ("values", ROW),
        ("embedding", ROW),
        ("mask", np.zeros((1, 2, 2, 3), np.float32)),
        ("picture", np.zeros((1, 2, 2, 3), np.float32)),
    ],
)
def test_an_answer_that_is_no_number_is_an_error_that_names_the_picture(
    run: Run, tmp_path: Path, task: str, answer: np.ndarray
) -> None:
    broken = answer.copy()
    broken[..., 0] = np.nan
    for array, code in ((answer, 0), (broken, 1)):
        path = write(tmp_path / "model.onnx", graph_of(array, array.shape), output(kind="tensor", task=task))
        done = run("predict", "--model", path, SEVEN)
        assert done.exit_code == code, done.stderr
    row = json.loads(done.stdout)
    assert row["path"] == str(SEVEN)
    assert "must answer with finite numbers. Received: NaN or infinity" in row["error"]
    assert str(SEVEN) in done.stderr


@pytest.mark.parametrize(
    "wrong", ["text for numbers", "rank 0", "no rows", "more rows than pictures", "another size", "two inputs"]
)
def test_arrays_as_inputs_are_no_way_around(run: Run, tmp_path: Path, wrong: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 12, 12, 3), np.uint8))
    done = run("predict", "--model", GRAPHS[wrong](tmp_path / "model.onnx"), "x.npy")
    assert isinstance(done.exception, SystemExit)
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)


def test_arrays_that_are_no_numbers_go_to_an_npz_alone(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 12, 12, 3), np.uint8))
    path = write(tmp_path / "model.onnx", graph_of(ROW * np.float32("inf")), output(kind="tensor", task="any"))
    for shown in ("json", "csv", "table"):
        done = run("predict", "--model", path, "x.npy", "--format", shown)
        assert done.exit_code == 1
        assert "must hold finite numbers to be written as text. Received: NaN or infinity" in done.stderr
    assert run("predict", "--model", path, "x.npy", "--format", "npz").exit_code == 0


def test_a_lone_file_gets_no_more_memory_than_is_free(tmp_path: Path) -> None:
    """Starts a process. Where it is given 2 GB all the same, the model answers."""
    path = write(tmp_path / "model.onnx", large_graph("Expand", {"one": ROW[:, :1], "size": [10**4, 5 * 10**4]}))
    code = (
        "import sys, edgeconv.memory; edgeconv.memory.memory_free = lambda: 2**30; "
        f"sys.argv = ['edgeconv', 'predict', '--model', {str(path)!r}, {str(SEVEN)!r}]; "
        "from edgeconv.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "Failed to allocate memory for requested buffer of size 2000000000" in done.stderr


@pytest.mark.parametrize(
    "wrong", ["fewer labels", "text for numbers", "no input", "a picture of rank 0", "another size"]
)
def test_a_folder_with_such_a_file_makes_no_bundle(run: Run, tmp_path: Path, wrong: str) -> None:
    folder = tmp_path / "artifact"
    shutil.copytree(TINY, folder)
    digest = hashlib.sha256(GRAPHS[wrong](folder / "model.onnx").read_bytes()).hexdigest()
    manifest = json.loads((folder / "manifest.json").read_text())
    for variant in manifest["variants"].values():
        variant |= {"file": "model.onnx", "sha256": digest}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    done = run("bundle", folder, "--target", "python")
    assert done.exit_code == 1
    assert [line[:7] for line in done.stderr.splitlines()] == ["Model: ", "Error: "]
