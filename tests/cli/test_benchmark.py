from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.benchmarking import measuring, recording, tuning
from edgeconv.benchmarking.footprint import Footprint
from edgeconv.runtime.loading import open_model
from edgeconv.timing import Timing, Work


@pytest.fixture(autouse=True)
def paced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let fp32 take half the time of the others; neither calls nor processes are waited for."""

    def time_in_turn(works: Sequence[Work], **settings: Any) -> list[Timing]:
        return [Timing((np.full(2, 0.5 if work.name.startswith("fp32") else 1.0),) * 12) for work in works]

    monkeypatch.setattr(measuring, "time_in_turn", time_in_turn)
    monkeypatch.setattr(tuning, "time_in_turn", time_in_turn)
    monkeypatch.setattr(measuring, "footprint_of", lambda *_: Footprint(2.0, {1: 3_000_000}))


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "exported" / "copy"))


SMALL = ("--max-batch", 1, "--max-threads", 1)


VARIANTS = ["fp32", "int8", *(f"e2e, {size} picture" for size in ("160x120", "640x480", "4032x3024"))]


def test_a_table_has_a_row_for_each_variant(run: Any, copy: Path) -> None:
    result = run("benchmark", copy, *SMALL, "--format", "table")
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    assert " ".join(header.split()) == (
        "variant provider threads batch p50 ms +/- % p95 ms p99 ms images/s load ms memory MB bytes accuracy"
    )
    assert [row.split("  ")[0] for row in rows] == VARIANTS
    assert rows[0].split()[1:] == [
        "cpu",
        "1",
        "1",
        "0.500",
        "0",
        "0.500",
        "0.500",
        "2000",
        "2.0",
        "3.0",
        "7798",
        "100.00%",
    ]
    assert "Machine: " in result.stderr
    assert "Accuracy: the manifest: patches, test split" in result.stderr


def test_json_and_csv_have_all_figures(run: Any, copy: Path) -> None:
    value = json.loads(run("benchmark", copy, *SMALL, "--format", "json").stdout)
    rows = list(csv.DictReader(io.StringIO(run("benchmark", copy, *SMALL, "--format", "csv").stdout)))
    assert [row["variant"] for row in rows] == [row["variant"] for row in value["rows"]]
    assert [row["picture"] for row in value["rows"]] == [None, None, "160x120", "640x480", "4032x3024"]
    assert set(rows[0]) == set(value["rows"][0])
    assert value["comparisons"][0]["told_apart"] is True


def test_the_newest_artifact_is_taken_and_its_figures_kept(run: Any, copy: Path) -> None:
    result = run("benchmark", *SMALL)
    assert result.exit_code == 0
    for name in ("benchmark.json", "benchmark.svg", "report.html"):
        assert str(Path("exported/copy", name)) in result.stderr
    assert 'id="benchmark"' in (copy / "report.html").read_text(encoding="utf-8")


def test_the_model_of_the_package_is_measured_and_not_touched(run: Any, tmp_path: Path) -> None:
    result = run("benchmark", *SMALL, "--plot", "plot.svg")
    assert result.exit_code == 0
    assert (tmp_path / "plot.svg").read_text().startswith("<svg ")
    assert "Saved plot.svg." in result.stderr
    assert "report.html" not in result.stderr


def test_a_folder_that_cannot_be_written_keeps_the_answer(
    run: Any, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "benchmark.json")

    monkeypatch.setattr(recording, "write_json", refuse)
    result = run("benchmark", copy, *SMALL)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["rows"]
    assert "Warning: the results were not saved beside the model" in result.stderr


def test_a_noisy_machine_is_warned_of(run: Any, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgeconv.spread import Interval

    assert "Warning" not in run("benchmark", copy, *SMALL).stderr
    monkeypatch.setattr(measuring, "ratio_of", lambda *_: Interval(1.0, 0.5, 1.5))
    warned = run("benchmark", copy, *SMALL)
    assert "Warning: This machine is too noisy to tell 1 of 1 pairs of variants apart" in warned.stderr


def test_accuracy_is_measured_on_a_dataset(run: Any, copy: Path, tmp_path: Path) -> None:
    with np.load(copy / "samples.npz") as samples:
        images, labels = samples["images"], samples["labels"].astype(np.uint8)
    wrong = (labels + 1) % 3
    names = np.array(["red", "green", "blue"])
    np.savez(tmp_path / "all-wrong.npz", x_train=images, y_train=labels, x_test=images, y_test=wrong, labels=names)
    result = run("benchmark", copy, *SMALL, "--dataset", tmp_path / "all-wrong.npz")
    assert [row["accuracy"] for row in json.loads(result.stdout)["rows"]] == [0.0] * len(VARIANTS)


def test_a_tuning_that_cannot_be_kept_is_shown(run: Any, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgeconv.transaction.sync", full)
    result = run("benchmark", copy, "--tune", "--max-threads", 1, "--seconds", 0.01)
    assert json.loads(result.stdout)["trials"]
    assert result.exit_code == 1
    assert "manifest.json` is as it was: [Errno 28] No space left on device." in result.stderr


def test_figures_that_cannot_be_kept_are_shown(run: Any, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgeconv.transaction.sync", full)
    result = run("benchmark", copy, *SMALL)
    assert (result.exit_code, bool(json.loads(result.stdout)["rows"])) == (0, True)
    assert "Warning: the results were not saved beside the model: [Errno 28] No space left on device." in result.stderr


def test_tune_says_what_it_found_and_keeps_it(run: Any, copy: Path) -> None:
    result = run("benchmark", copy, "--tune", "--max-threads", 1, "--format", "table")
    assert result.exit_code == 0
    assert "Best here: fp32, cpu, 1 thread. It takes 0.50 (95 % interval 0.50 to 0.50)" in result.stderr
    assert result.stdout.splitlines()[0].split()[:4] == ["step", "variant", "provider", "threads"]
    assert open_model(copy).variant == "fp32"
    csv_rows = list(csv.DictReader(io.StringIO(run("benchmark", copy, "--tune", "--format", "csv").stdout)))
    assert json.loads(csv_rows[0]["ratio"])["median"] == 1.0


def test_profile_shows_layers_side_by_side(run: Any, copy: Path) -> None:
    result = run("benchmark", copy, "--profile", "--format", "table")
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    assert header.startswith("layer ")
    assert all(word in header for word in ("fp32 us", "int8 us", "int8 / fp32", "fp32 operators", "int8 operators"))
    assert [row.split()[0] for row in rows][:3] == ["input", "rescaling", "conv1"]
    value = json.loads(run("benchmark", copy, "--profile").stdout)
    assert value["layers"][2]["layer"] == "conv1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tune", "--profile"), "--tune and --profile are two commands"),
        (("--batch", 2), "--batch goes with --tune and --profile"),
        (("--tune", "--batch", 0), "--batch: must be at least 1. Received: 0"),
        (("--tune", "--plot", "a.svg"), "--max-batch, --plot and --dataset do not go with"),
        (("--profile", "--dataset", "mnist"), "--max-batch, --plot and --dataset do not go with"),
        (("--profile", "--max-threads", 1), "--max-threads does not go with --profile"),
        (("--plot", "a.jpg"), "--plot: must end in .svg. Received: 'a.jpg'"),
        (("--max-batch", 0), "`max_batch` must be at least 1. Received: 0"),
        (("--seconds", 0), "`seconds` must be above 0. Received: 0.0"),
        (("--tune",), "`tune` requires the folder of an artifact of yours"),
    ],
)
def test_what_does_not_go_together_is_usage(run: Any, arguments: tuple[Any, ...], message: str) -> None:
    result = run("benchmark", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_a_model_that_is_not_there_is_one_line(run: Any) -> None:
    result = run("benchmark", "nowhere")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
