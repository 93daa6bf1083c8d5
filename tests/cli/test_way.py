"""The whole way through the command line, from an empty folder, on a dataset of small pictures."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.variants import VARIANTS  # noqa: E402


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of classes: 40 noisy pictures each of two colours, of several sizes."""
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    for channel, name in ((0, "warm"), (2, "cold")):
        (folder / name).mkdir()
        for number in range(40):
            picture = generator.integers(0, 110, (30 + number, 40, 3), dtype=np.uint8)
            picture[..., channel] += 110
            Image.fromarray(picture).save(folder / name / f"{number:02}.png")
    return folder


@pytest.fixture(scope="module")
def walked(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """Return the working directory after train, export, predict and evaluate, with their results."""
    from click.testing import CliRunner

    from edgeconv.cli.main import cli

    folder, before = tmp_path_factory.mktemp("work"), Path.cwd()
    os.chdir(folder)
    try:
        options = ["--dataset", str(photos), "--image-size", "16x16", "--depth", "2", "--epochs", "8", "--name", "mood"]
        commands = [
            ["train", *options],
            ["export", "--quantize", "--embed-preprocessing", "--max-drop", "5"],
            ["predict", str(photos / "warm" / "00.png"), str(photos / "cold" / "00.png")],
            ["evaluate", "--max-drop", "5"],
            ["inspect"],
            ["bundle", "--target", "python"],
            ["bundle", "--check", "mood-python"],
        ]
        results = [CliRunner().invoke(cli, command) for command in commands]
    finally:
        os.chdir(before)
    return folder, results


def test_each_command_succeeds_without_options(walked: tuple[Path, list[Any]]) -> None:
    """Trains a small network: some ten seconds."""
    for result in walked[1]:
        assert result.exit_code == 0, result.output
        assert "Traceback" not in result.stderr


def test_the_artifact_lies_under_its_name(walked: tuple[Path, list[Any]]) -> None:
    assert {path.name for path in (walked[0] / "exported" / "mood").iterdir()} == {
        "model.keras",
        "training.json",
        "curves.png",
        "model.onnx",
        "model.int8.onnx",
        "model.e2e.onnx",
        "manifest.json",
        "parity.json",
        "samples.npz",
        "report.html",
    }


def test_train_prints_its_record(walked: tuple[Path, list[Any]], photos: Path) -> None:
    record = json.loads(walked[1][0].stdout)
    assert record["path"] == "exported/mood/model.keras"
    assert record["dataset"]["labels"] == ["cold", "warm"]
    assert len(record["history"]) == 8
    assert len(record["dataset"]["sha256"]) == 64
    assert record["dataset"]["sha256"][:12] in walked[1][0].stderr
    assert str(photos) in walked[1][0].stderr


def test_export_and_evaluate_print_the_same_ledger(walked: tuple[Path, list[Any]]) -> None:
    exported, evaluated = json.loads(walked[1][1].stdout)["ledger"], json.loads(walked[1][3].stdout)
    assert exported.pop("int8_search")["holds"] is True
    for ledger in (exported, evaluated):
        for row in ledger["rows"]:
            row.pop("p50_latency_ms")
    assert exported == evaluated
    assert [row["stage"] for row in evaluated["rows"]] == ["keras", "fp32", "int8", "e2e"]
    assert evaluated["passed"] is True


def test_pictures_are_read(walked: tuple[Path, list[Any]]) -> None:
    rows = [json.loads(line) for line in walked[1][2].stdout.splitlines()]
    assert [row["label"] for row in rows] == ["warm", "cold"]


def test_the_bundle_is_what_was_made(walked: tuple[Path, list[Any]]) -> None:
    made, checked = (json.loads(walked[1][number].stdout) for number in (5, 6))
    assert (made["path"], made["target"], checked["passed"]) == ("mood-python", "python", True)
    assert (walked[0] / "mood-python" / "predict.py").is_file()
    assert {check["path"] for check in checked["files"]} == set(made["manifest"]["files"])


def test_a_bundle_runs_over_the_test_images(walked: tuple[Path, list[Any]], run: Any) -> None:
    """Starts the bundle's own program, three times."""
    result = run("evaluate", walked[0] / "exported" / "mood", "--bundle", walked[0] / "mood-python", "--images", "6")
    assert result.exit_code == 0, result.output
    rows = {row["stage"]: row for row in json.loads(result.stdout)["rows"]}
    assert list(rows) == ["keras", "fp32", "int8", "e2e", "python"]
    assert {row["count"] for row in rows.values()} == {6}
    # The bundle gets the images as int8 does; e2e gets pictures drawn of them, and is held against Keras on these.
    assert rows["python"]["max_abs_dp"] == pytest.approx(rows["int8"]["max_abs_dp"], abs=1e-6)
    assert rows["python"]["p50_latency_ms"] is None


def test_a_bundle_of_another_model_is_refused(walked: tuple[Path, list[Any]], run: Any, tiny: Path) -> None:
    made = run("bundle", tiny, "--target", "python", "--out", "tiny")
    assert made.exit_code == 0, made.output
    result = run("evaluate", walked[0] / "exported" / "mood", "--bundle", "tiny")
    assert result.exit_code == 2
    assert "must be a bundle of" in result.stderr


def test_inspect_knows_the_model(walked: tuple[Path, list[Any]]) -> None:
    assert json.loads(walked[1][4].stdout)


def test_export_of_the_same_model_gives_the_same_files(
    walked: tuple[Path, list[Any]], run: Any, tmp_path: Path
) -> None:
    artifact = walked[0] / "exported" / "mood"
    model = shutil.copytree(artifact, tmp_path / "again")
    names = ("model.onnx", "model.int8.onnx", "model.e2e.onnx")
    for name in (*names, "manifest.json"):
        (model / name).unlink()
    options = ["--quantize", "--embed-preprocessing", "--max-drop", "5"]
    renamed = run("export", model, *options, "--out", tmp_path / "exported", "--name", "mood")
    assert renamed.exit_code == 0, renamed.output
    for name in names:
        assert (tmp_path / "exported" / "mood" / name).read_bytes() == (artifact / name).read_bytes()


def test_tables_are_for_people(walked: tuple[Path, list[Any]], run: Any) -> None:
    result = run("evaluate", walked[0] / "exported" / "mood", "--format", "table", "--max-drop", "5")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("stage  provider")
    assert [line.split()[0] for line in lines[1:]] == ["keras", "fp32", "int8", "e2e"]


def test_a_gate_that_fails_exits_with_3_after_the_ledger(
    walked: tuple[Path, list[Any]], run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VARIANTS, "fp32", VARIANTS["fp32"]._replace(max_dp=0.0))
    result = run("evaluate", walked[0] / "exported" / "mood")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["passed"] is False
    assert "max |dp|: at most 0" in result.stderr


def test_other_data_change_the_figures(walked: tuple[Path, list[Any]], run: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    images = generator.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", x_train=images, y_train=np.arange(40) % 2, x_test=images, y_test=np.arange(40) % 2)
    result = run("evaluate", walked[0] / "exported" / "mood", "--dataset", tmp_path / "noise.npz", "--max-drop", 100)
    ledger = json.loads(result.stdout)
    assert (ledger["dataset"], ledger["rows"][0]["count"]) == ("noise", 40)
    assert ledger["rows"][0]["accuracy"] < 0.9


def test_moved_data_are_told_by_their_fingerprint(walked: tuple[Path, list[Any]], run: Any, tmp_path: Path) -> None:
    artifact = shutil.copytree(walked[0] / "exported" / "mood", tmp_path / "mood")
    record = json.loads((artifact / "training.json").read_text())
    record["dataset"]["sha256"] = "0" * 64
    (artifact / "training.json").write_text(json.dumps(record))
    result = run("evaluate", artifact)
    assert result.exit_code == 1
    assert "was trained on" in result.stderr


def test_evaluate_without_data_or_keras(run: Any, tiny: Path) -> None:
    result = run("evaluate", tiny)
    assert result.exit_code == 2
    assert "requires labelled data" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("train", "--epochs", 0), 2, "`epochs` must be a whole number"),
        (("train", "--dataset", "mnits"), 2, "Did you mean"),
        (("train", "--dataset", "mnist-sample", "--image-size", "big"), 2, "must be HEIGHTxWIDTH"),
        (("train", "--dataset", "nothing/here.npz"), 1, "nothing/here.npz"),
        (("train", "--freeze-base"), 2, "requires a model to fine-tune"),
        (("train", "--name", "a/b"), 2, "without slashes"),
        (("train", "--dataset", "mnist-sample", "--device", "gpu"), 1, "GPU"),
        (("train", "--resume"), 1, "resume"),
        (("export",), 1, "Train one with `edgeconv train`"),
        (("export", "absent.keras"), 1, "no such file"),
        (("evaluate", "absent"), 1, "must be an artifact's folder"),
        (("inspect", "absent"), 1, "absent"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Any, arguments: tuple[str, ...], code: int, message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert "Traceback" not in result.stderr
