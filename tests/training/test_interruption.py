"""Stopped by Ctrl-C, killed, gone on with: each test trains in a process of its own, and so takes seconds."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import keras
import pytest

from edgeconv.artifact import CURVES_FILE, KERAS_FILE, TRAINING_FILE, sha256_of
from edgeconv.config import TrainConfig
from edgeconv.datasets import Dataset
from edgeconv.errors import DatasetError, TrainingError
from edgeconv.training import TrainedModel, train
from edgeconv.training import trainer as room
from edgeconv.training.checkpoints import CHECKPOINT_FOLDER, STATE_FILE, discard_checkpoint
from tests.training.conftest import SMALL, Listener, save_bars

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def uninterrupted(bars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    return train(bars, config=SMALL, out=tmp_path_factory.mktemp("whole") / "bars")


def stopped_in_epoch_two(bars_file: Path, out: Path, how: signal.Signals) -> tuple[int, str]:
    """Send a signal in the middle of the second epoch; return the exit status and what was said after it."""
    command = [sys.executable, "-m", "tests.training.child", str(bars_file), str(out), "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("epoch 2/3: 2 of 5"):
                break
        child.send_signal(how)
        sent = time.monotonic()
        rest = child.stdout.read()
        status = child.wait()
    assert "epoch 2/3: 5 of 5" not in rest, "the epoch went on after the signal"
    assert time.monotonic() - sent < 30
    return status, rest


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_keeps_the_last_finished_epoch_and_resume_ends_as_if_nothing_had_happened(
    bars_file: Path, bars: Dataset, uninterrupted: TrainedModel, tmp_path: Path, listener: Listener
) -> None:
    out = tmp_path / "bars"
    status, said = stopped_in_epoch_two(bars_file, out, signal.SIGINT)
    assert status in {-signal.SIGINT, 1, 130}
    assert f"Stopped after epoch 1 of 3, which is kept in {out}" in said
    assert f"edgeconv train --resume --out {out}" in said

    record = json.loads((out / TRAINING_FILE).read_text())
    assert (record["finished"], record["epochs_done"], len(record["history"])) == (False, 1, 1)
    assert record["model"]["sha256"] == sha256_of(out / KERAS_FILE)
    kept = keras.models.load_model(out / KERAS_FILE)
    assert (kept.predict(bars.test.images, verbose=0).argmax(axis=1) == bars.test.labels).mean() == pytest.approx(
        record["test_accuracy"]
    )
    assert (out / CURVES_FILE).is_file()
    assert (out / CHECKPOINT_FOLDER / STATE_FILE).is_file()

    resumed = train("auto", config=TrainConfig(device="cpu"), out=out, resume=True, progress=listener)
    assert list(listener.bars) == ["epoch 2/3", "epoch 3/3"]
    assert any("Continuing" in line and "after epoch 1 of 3" in line for line in listener.said)
    assert resumed.record["finished"]
    assert resumed.record["model"]["sha256"] == uninterrupted.record["model"]["sha256"]
    assert not (out / CHECKPOINT_FOLDER).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_it_leaves_the_previous_model_and_can_be_resumed(
    bars_file: Path, bars: Dataset, uninterrupted: TrainedModel, tmp_path: Path
) -> None:
    out = tmp_path / "bars"
    before = train(bars, config=replace(SMALL, epochs=1, seed=9), out=out)
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    status, _ = stopped_in_epoch_two(bars_file, out, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == files
    assert sha256_of(out / KERAS_FILE) == before.record["model"]["sha256"]

    resumed = train(str(bars_file), config=SMALL, out=out, resume=True)
    assert resumed.record["model"]["sha256"] == uninterrupted.record["model"]["sha256"]


def interrupted(bars: Dataset, out: Path, listener: Listener, epoch: int) -> None:
    """Press Ctrl-C when an epoch begins."""
    run_epoch = room.run_epoch

    def pressed(model: keras.Model, pipeline: object, number: int, *rest: object) -> object:
        if number + 1 == epoch:
            raise KeyboardInterrupt
        return run_epoch(model, pipeline, number, *rest)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "run_epoch", pressed)
        with pytest.raises(KeyboardInterrupt):
            train(bars, config=SMALL, out=out, progress=listener)


@pytest.fixture(scope="module")
def unfinished(bars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Listener]:
    """A run that was interrupted in its second epoch, and what it said. Copy the folder before changing it."""
    out, listener = tmp_path_factory.mktemp("unfinished") / "bars", Listener()
    interrupted(bars, out, listener, epoch=2)
    return out, listener


def test_before_the_first_epoch_ends_nothing_is_written(bars: Dataset, tmp_path: Path, listener: Listener) -> None:
    interrupted(bars, tmp_path / "out", listener, epoch=1)
    assert listener.said[-1] == "Stopped before an epoch was finished. Nothing was written."
    assert not (tmp_path / "out").exists()


def test_a_run_killed_while_it_writes_its_files_only_writes_them_again(
    bars: Dataset, uninterrupted: TrainedModel, tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(room, "write_result", killed)
        with pytest.raises(SystemExit, match="killed"):
            train(bars, config=SMALL, out=tmp_path)
    assert not (tmp_path / KERAS_FILE).exists()
    resumed = train(bars, out=tmp_path, resume=True, progress=listener)
    assert listener.bars == {}
    assert resumed.record["model"]["sha256"] == uninterrupted.record["model"]["sha256"]


def test_under_exported_the_advice_needs_no_folder(
    bars: Dataset, tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    interrupted(bars, Path("exported/bars"), listener, epoch=2)
    assert listener.said[-1].endswith("Continue with `edgeconv train --resume`.")


def test_resume_takes_the_newest_run_under_exported(
    unfinished: tuple[Path, Listener], tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(unfinished[0], "exported/bars")
    result = train(resume=True, config=TrainConfig(device="cpu", epochs=99), progress=listener)
    assert (result.path, result.record["epochs_done"]) == (Path("exported/bars/model.keras"), 3)
    assert any("not with those given now" in line for line in listener.said)
    again = train(resume=True, progress=listener)
    assert again.record == result.record
    assert "nothing to resume" in listener.said[-1]


def test_there_must_be_a_run_to_resume(bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainingError, match=r"`resume` requires an interrupted run\. Received: exported.*--out"):
        train(resume=True)
    with pytest.raises(TrainingError, match=r"`resume` requires an interrupted run\. Received: .*empty"):
        train(bars, out=tmp_path / "empty", resume=True)


def test_other_data_cannot_continue_a_run(bars: Dataset, unfinished: tuple[Path, Listener], tmp_path: Path) -> None:
    other = save_bars(tmp_path / "other.npz", seed=1)
    with pytest.raises(DatasetError, match=rf"requires the data it began with.*{bars.sha256[:12]}.*other\.npz"):
        train(str(other), out=unfinished[0], resume=True)


@pytest.mark.parametrize("damage", ["state", "model", "options", "gone"])
def test_a_damaged_checkpoint_is_one_line(
    bars: Dataset, unfinished: tuple[Path, Listener], tmp_path: Path, damage: str
) -> None:
    shutil.copytree(unfinished[0], tmp_path, dirs_exist_ok=True)
    place = tmp_path / CHECKPOINT_FOLDER
    (model,) = place.glob("*.keras")
    state = json.loads((place / STATE_FILE).read_text())
    if damage == "state":
        (place / STATE_FILE).write_text("{")
    elif damage == "model":
        model.write_bytes(model.read_bytes()[:-1])
    elif damage == "options":
        (place / STATE_FILE).write_text(json.dumps({**state, "config": {"new": 1}}))
    else:
        model.unlink()
    with pytest.raises(
        TrainingError, match=r"must be a sound checkpoint\. Received: .*Train without `--resume`"
    ) as caught:
        train(bars, out=tmp_path, resume=True)
    assert "\n" not in str(caught.value)


def test_a_new_run_says_that_it_replaces_an_unfinished_one(
    bars: Dataset, unfinished: tuple[Path, Listener], tmp_path: Path, listener: Listener
) -> None:
    shutil.copytree(unfinished[0], tmp_path, dirs_exist_ok=True)
    interrupted(bars, tmp_path, listener, epoch=1)
    assert any("unfinished run" in line and "--resume" in line for line in listener.said)
    assert listener.said[-1] == "Stopped before an epoch was finished. Nothing was written."
    assert (tmp_path / CHECKPOINT_FOLDER / STATE_FILE).is_file()


def test_discarding_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    discard_checkpoint(tmp_path)
    assert not (tmp_path / CHECKPOINT_FOLDER).exists()
