"""What is drawn, how real data are read, and the table, without the models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.benchmarks.mlperf_tiny.__main__ import FILE, PAGE, render
from tests.benchmarks.mlperf_tiny.models import MODELS, folder
from tests.benchmarks.mlperf_tiny.real_data import load, quality
from tests.pages import read_between


@pytest.mark.parametrize(
    ("name", "shape", "low", "high"),
    [
        ("ad", (640,), -84, 14),
        ("ic", (32, 32, 3), 0, 255),
        ("vww", (96, 96, 3), 0, 255),
        ("kws", (49, 10, 1), -122, 25),
    ],
)
def test_inputs_have_the_range_that_the_models_take(name: str, shape: tuple[int, ...], low: int, high: int) -> None:
    drawn = MODELS[name].make(np.random.default_rng(0), 4)
    assert (drawn.shape, drawn.dtype) == ((4, *shape), np.float32)
    assert drawn.min() >= low
    assert drawn.max() <= high
    assert np.ptp(drawn) > 0.5 * (high - low)


def test_the_models_are_asked_for_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGECONV_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match=r"^MLPerf Tiny's reference models are required in [^\n]*$"):
        folder()


@pytest.mark.parametrize("name", MODELS)
def test_data_are_asked_for_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^`[^\n]*` is required for the quality of [^\n]*$"):
        load(MODELS[name], tmp_path)


def test_pictures_of_cifar_and_wake_words_come_with_their_classes(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    (tmp_path / "cifar-10-batches-bin").mkdir()
    row = np.concatenate([np.uint8([7]), picture.transpose(2, 0, 1).ravel()])
    row.tofile(tmp_path / "cifar-10-batches-bin" / "test_batch.bin")
    inputs, right = load(MODELS["ic"], tmp_path)
    np.testing.assert_array_equal(inputs, picture[None])
    assert right.tolist() == [7]
    for name, grey in (("person", 200), ("non_person", 30)):
        (tmp_path / "vw_coco2014_96" / name).mkdir(parents=True)
        Image.new("L", (96, 96), grey).save(tmp_path / "vw_coco2014_96" / name / "a.png")
    inputs, right = load(MODELS["vww"], tmp_path)
    assert (inputs[:, 0, 0, 0].tolist(), right.tolist()) == ([30, 200], [0, 1])


def test_quality_is_accuracy_and_of_recordings_the_area_under_the_curve(tmp_path: Path) -> None:
    np.savez(tmp_path / "kws_test.npz", x=np.eye(12, dtype=np.float32), y=[*range(11), 0])
    assert quality(MODELS["kws"], lambda given: given, load(MODELS["kws"], tmp_path)) == pytest.approx(11 / 12)
    recordings = np.stack([np.full((2, 640), size, np.float32) for size in (1, 3, 2, 4)])
    np.savez(tmp_path / "toycar_test.npz", x=recordings, y=[0, 1, 0, 1])
    assert quality(MODELS["ad"], lambda given: 0 * given, load(MODELS["ad"], tmp_path)) == 1.0


def test_the_page_has_the_table_of_the_stored_figures() -> None:
    assert read_between(PAGE, "mlperf-tiny") == render(json.loads(FILE.read_text(encoding="utf-8")))
