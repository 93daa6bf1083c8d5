from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from edgeconv.artifact import CURVES_FILE, KERAS_FILE, TRAINING_FILE, sha256_of
from edgeconv.config import TrainConfig
from edgeconv.datasets import Dataset
from edgeconv.errors import ConfigError, DatasetError, TrainingError
from edgeconv.training import TrainedModel, pipeline, train
from tests.training.conftest import SMALL, Listener, save_bars

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def trained(bars_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainedModel, Listener]:
    listener = Listener()
    out = tmp_path_factory.mktemp("artifact") / "bars"
    return train(str(bars_file), config=SMALL, out=out, progress=listener), listener


def test_training_learns(trained: tuple[TrainedModel, Listener]) -> None:
    record = trained[0].record
    assert record["test_accuracy"] > 0.9
    assert record["history"][-1]["loss"] < record["history"][0]["loss"]


def test_the_folder_holds_the_model_its_record_and_its_curves(trained: tuple[TrainedModel, Listener]) -> None:
    folder = trained[0].path.parent
    assert sorted(path.name for path in folder.iterdir()) == [CURVES_FILE, KERAS_FILE, TRAINING_FILE]


def test_the_model_takes_raw_pixels_and_answers_as_recorded(
    trained: tuple[TrainedModel, Listener], bars: Dataset
) -> None:
    model = keras.models.load_model(trained[0].path)
    answers = model.predict(bars.test.images, verbose=0)
    assert (answers.argmax(axis=1) == bars.test.labels).mean() == pytest.approx(trained[0].record["test_accuracy"])
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)


def test_the_model_is_float32_without_an_optimizer_and_without_augmentation(
    trained: tuple[TrainedModel, Listener],
) -> None:
    model = keras.models.load_model(trained[0].path)
    assert not model.compiled
    assert trained[0].path.stat().st_size < 4 * model.count_params() + 40_000
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert [layer.name for layer in model.layers] == [
        "image",
        "rescaling",
        "conv1",
        "pool1",
        "conv2",
        "flatten",
        "dropout",
        "dense",
        "probabilities",
    ]


def test_the_record_is_complete(trained: tuple[TrainedModel, Listener], bars: Dataset) -> None:
    result = trained[0]
    record = json.loads((result.path.parent / TRAINING_FILE).read_text())
    assert record == result.record
    assert result.as_dict() == {"path": str(result.path), **record}
    assert record["config"] == SMALL.as_dict()
    assert record["dataset"] == bars.as_dict()
    assert (record["finished"], record["epochs_done"], record["epochs"], record["seed"]) == (True, 3, 3, 0)
    assert record["model"]["sha256"] == sha256_of(result.path)
    assert record["model"]["size_bytes"] == result.path.stat().st_size
    assert record["parameters"] == keras.models.load_model(result.path).count_params()
    assert record["recipe"]["batch_size"] == 32
    assert record["device"] == {"kind": "cpu", "names": [], "precision": "float32"}
    assert set(record["versions"]) == {"tensorflow", "keras", "numpy", "python"}
    assert [entry["epoch"] for entry in record["history"]] == [1, 2, 3]
    last = record["history"][-1]
    assert (record["test_accuracy"], record["test_loss"]) == (last["test_accuracy"], last["test_loss"])
    assert all(entry["seconds"] > 0 for entry in record["history"])


def test_it_says_what_it_uses_and_shows_how_far_it_is(trained: tuple[TrainedModel, Listener], bars: Dataset) -> None:
    listener = trained[1]
    assert any(bars.source in line and bars.sha256[:12] in line for line in listener.said)
    assert any("parameters" in line and "on cpu" in line for line in listener.said)
    assert list(listener.bars) == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert listener.totals == [5, 5, 5]
    for steps in listener.bars.values():
        assert sum(count for count, _ in steps) == 5
        assert steps[0][1].startswith("loss ")
        assert "  accuracy " in steps[0][1]
        assert "  test " in steps[-1][1]


def test_another_process_makes_the_same_file(
    trained: tuple[TrainedModel, Listener], bars_file: Path, tmp_path: Path
) -> None:
    """Takes seconds: a second process imports TensorFlow. Augmentation and dropout are on, as in `trained`."""
    command = [sys.executable, "-m", "tests.training.child", str(bars_file), str(tmp_path / "bars"), "0"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert sha256_of(tmp_path / "bars" / KERAS_FILE) == trained[0].record["model"]["sha256"]


def test_steps_taken_together_make_the_same_file(
    trained: tuple[TrainedModel, Listener], bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of an epoch's five steps, then the two that are left."""
    monkeypatch.setattr(pipeline, "_steps_per_execution", lambda *_: 3)
    listener = Listener()
    together = train(bars, config=SMALL, out=tmp_path, progress=listener)
    assert [[count for count, _ in steps] for steps in listener.bars.values()] == [[3, 2, 0]] * 3
    assert together.record["model"]["sha256"] == trained[0].record["model"]["sha256"]
    assert together.record["history"][-1]["loss"] == trained[0].record["history"][-1]["loss"]


def test_another_seed_makes_another_model(
    trained: tuple[TrainedModel, Listener], bars: Dataset, tmp_path: Path
) -> None:
    other = train(bars, config=replace(SMALL, seed=1), out=tmp_path)
    assert other.record["model"]["sha256"] != trained[0].record["model"]["sha256"]


def test_training_leaves_the_process_as_it_was(bars: Dataset, tmp_path: Path) -> None:
    np.random.seed(5)
    keras.utils.set_random_seed(5)
    expected = np.random.random(), float(keras.random.uniform(()))
    keras.utils.set_random_seed(5)
    train(bars, config=replace(SMALL, epochs=1), out=tmp_path)
    assert (np.random.random(), float(keras.random.uniform(()))) == expected
    assert keras.config.dtype_policy().name == "float32"


def test_the_folder_is_named_after_the_data(bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = train(bars, config=TrainConfig(arch="dense", recipe="book", epochs=1, device="cpu"))
    assert result.path == Path("exported/bars/model.keras")
    assert result.path.is_file()


def test_a_loss_that_is_no_number_stops_at_once_and_leaves_what_was_there(bars: Dataset, tmp_path: Path) -> None:
    before = train(bars, config=replace(SMALL, epochs=1), out=tmp_path)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    absurd = replace(SMALL, depth=5, padding="same", recipe="book", learning_rate=9e5)
    with pytest.raises(TrainingError, match=r"Received: (nan|inf) in epoch 1, by step [1-5]\. Lower the learning rate"):
        train(bars, config=absurd, out=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
    assert before.path.is_file()


def test_an_impossible_network_is_refused_before_anything_is_written(bars: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the map vanishes"):
        train(bars, config=replace(SMALL, depth=6), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_absent_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises((DatasetError, ConfigError), match="does not exist"):
        train(str(tmp_path / "no.npz"), config=SMALL, out=tmp_path / "out")


def test_no_gpu_is_an_error(bars: Dataset, tmp_path: Path) -> None:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(TrainingError, match="`device` gpu requires a GPU"):
        train(bars, config=replace(SMALL, device="gpu"), out=tmp_path / "out")


def test_two_devices_in_float16_leave_a_float32_model(bars_file: Path, tmp_path: Path) -> None:
    """Takes seconds: a process whose CPU is split in two stands in for two GPUs."""
    script = f"""
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from dataclasses import replace
from edgeconv.training import train, trainer
from edgeconv.training.devices import Placement
from tests.training.conftest import SMALL
trainer.claim_device = lambda wanted: Placement("gpu", ("CPU:0", "CPU:1"))
trainer.strategy_of = lambda placement: tf.distribute.MirroredStrategy(placement.names)
train({str(bars_file)!r}, config=replace(SMALL, arch="dense"), out={str(tmp_path)!r})
"""
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    record = json.loads((tmp_path / TRAINING_FILE).read_text())
    assert record["device"] == {"kind": "gpu", "names": ["CPU:0", "CPU:1"], "precision": "mixed_float16"}
    assert record["test_accuracy"] > 0.9
    model = keras.models.load_model(tmp_path / KERAS_FILE)
    assert {layer.compute_dtype for layer in model.layers if layer.weights} == {"float32"}


def test_the_package_imports_without_tensorflow() -> None:
    script = "import sys, edgeconv.training; print(sorted({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"


def test_small_files_for_another_size(tmp_path: Path) -> None:
    """Colour and unequal sides are not the bars' case, and must train too."""
    rng = np.random.default_rng(0)
    arrays = {f"x_{split}": rng.integers(0, 256, (20, 12, 18, 3), dtype=np.uint8) for split in ("train", "test")}
    labels = {f"y_{split}": np.arange(20) % 4 for split in ("train", "test")}
    np.savez(tmp_path / "color.npz", **arrays, **labels)
    config = replace(SMALL, arch="convnet-strided", padding="same", epochs=1)
    model = keras.models.load_model(train(str(tmp_path / "color.npz"), config=config, out=tmp_path / "out").path)
    assert (model.input_shape, model.output_shape) == ((None, 12, 18, 3), (None, 4))


def test_bars_are_learnable_from_their_own_seed(tmp_path: Path) -> None:
    first, second = (np.load(save_bars(tmp_path / f"{seed}.npz", seed))["x_train"] for seed in (0, 1))
    assert not np.array_equal(first, second)
