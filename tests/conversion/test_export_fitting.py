"""How pictures of another aspect reach a network: Keras' loader stretches them, and a crop answered by chance.

Trains a network of a few dozen weights, in seconds.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")
tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.artifact import sha256_of  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.datasets import DatasetSpec  # noqa: E402
from edgeconv.errors import ConfigError, DatasetError  # noqa: E402
from tests.conversion.wide_pictures import SIDE, Words, save_wide_pictures, train_on  # noqa: E402


@pytest.fixture(scope="module")
def wide_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_wide_pictures(tmp_path_factory.mktemp("wide"))


@pytest.fixture(scope="module")
def stretching(wide_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_on(wide_pictures, tmp_path_factory.mktemp("stretching") / "wide.keras")


def test_pictures_are_stretched_as_kerass_loader_does_where_that_is_stated(
    stretching: Path, wide_pictures: Path, tmp_path: Path
) -> None:
    config = edgeconv.ExportConfig(fit="stretch", antialias=False)
    spec = DatasetSpec(str(wide_pictures), image_size=(SIDE, SIDE))
    exported = export_here(stretching, config=config, dataset=spec, out=tmp_path / "out")
    assert exported.ledger.rows[0].accuracy == 1.0
    assert exported.manifest.preprocess is not None
    assert (exported.manifest.preprocess.fit, exported.manifest.preprocess.filter) == ("stretch", "bilinear")
    # From the file: Keras' own loader and network beside ours.
    model = keras.models.load_model(stretching)
    with edgeconv.Predictor(exported.path) as predictor:
        for path in sorted(wide_pictures.glob("test/*/0*.png")):
            pixels = tf.image.resize(keras.utils.img_to_array(keras.utils.load_img(path)), (SIDE, SIDE))
            expected = model(pixels[None]).numpy()[0]
            answer = predictor.predict(path)
            assert answer.label == path.parent.name
            assert answer.probability == pytest.approx(expected[answer.index], abs=5e-3)
    # The artifact says how pictures are fitted: an evaluation needs no option, and one of them leaves the others.
    for given in (spec, replace(spec, interpolation="bicubic")):
        assert edgeconv.evaluate(exported.path, dataset=given).rows[0].accuracy == 1.0


def test_it_is_said_where_pictures_are_cut_and_nobody_asked_for_that(
    stretching: Path, wide_pictures: Path, tmp_path: Path
) -> None:
    for said, given in (
        (True, {"dataset": DatasetSpec(str(wide_pictures), image_size=(SIDE, SIDE))}),
        (True, {"config": edgeconv.ExportConfig(quantize=True, calibration=str(wide_pictures), max_drop=50.0)}),
        (False, {"config": edgeconv.ExportConfig(fit="crop"), "dataset": str(wide_pictures)}),
    ):
        words = Words()
        with contextlib.suppress(DatasetError):  # 64 x 64, where no size is named.
            export_here(stretching, out=tmp_path / "o", progress=words, **{"config": edgeconv.ExportConfig(), **given})
        assert any("do not have the aspect of 16x16: only their middle is seen" in line for line in words.said) == said


@pytest.mark.parametrize("config", [{}, {"fit": "crop"}], ids=["assumed", "stated"])
def test_what_nobody_said_is_in_the_manifest_and_predict_says_it_once(
    config: dict[str, str], stretching: Path, wide_pictures: Path, tmp_path: Path
) -> None:
    words = Words()
    exported = export_here(stretching, config=edgeconv.ExportConfig(**config), out=tmp_path / "out", progress=words)
    assert exported.manifest.preprocess is not None
    assert exported.manifest.preprocess.fit_assumed == (not config)
    assert any(
        line.startswith("Pictures: RGB, cropped to the aspect ratio of 16x16")
        and ("(the default)" in line) == (not config)
        for line in words.said
    )
    pictures = sorted(wide_pictures.glob("test/left/*.png"))[:3]
    predict = [sys.executable, "-c", "from edgeconv.cli.main import main; main()", "predict", "--model"]
    ran = subprocess.run([*predict, tmp_path / "out", *pictures], capture_output=True, text=True, check=True)
    assert ran.stderr.count("Warning: A picture of 24x72 does not have the aspect of 16x16") == (not config)
    assert len(ran.stdout.splitlines()) == 3


def test_ways_to_fit_can_be_tried_by_an_evaluation(stretching: Path, wide_pictures: Path, tmp_path: Path) -> None:
    export_here(stretching, config=edgeconv.ExportConfig(), out=tmp_path / "out")
    words = Words()
    assert edgeconv.evaluate(tmp_path / "out", dataset=str(wide_pictures), progress=words).rows[0].accuracy == 0.5
    assert any(line.startswith("Keras itself answers 20 of 40 right, no better than chance") for line in words.said)
    stretched = DatasetSpec(str(wide_pictures), fit="stretch", antialias=False)
    ledger = edgeconv.evaluate(tmp_path / "out", dataset=stretched, loader="keras-directory", progress=words)
    assert [row.stage for row in ledger.rows] == ["keras", "keras from the file", "fp32"]
    assert [row.accuracy for row in ledger.rows] == [1.0, 1.0, 1.0]
    said = "bilinear, not antialiased, as stated here. `predict` prepares them as the artifact says: RGB, cropped"
    assert any(said in line for line in words.said)
    with pytest.raises(ConfigError, match=r"`channels` must be what the model takes, 3\. Received: 1"):
        edgeconv.evaluate(tmp_path / "out", dataset=DatasetSpec(str(wide_pictures), channels=1))
    (tmp_path / "out" / "model.keras").unlink()
    with pytest.raises(ConfigError, match=r"`loader` requires the artifact's model\.keras, and Keras to run it"):
        edgeconv.evaluate(tmp_path / "out", dataset=stretched, loader="keras-directory")


def test_pictures_are_not_fitted_otherwise_than_for_the_training(
    stretching: Path, wide_pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "exported" / "own"
    prepared = {"kind": "resize", "height": SIDE, "width": SIDE, "channels": 3}
    record = {"name": "wide", "sha256": "0" * 64, "preparation": prepared, "spec": {}}
    folder.mkdir(parents=True)
    shutil.copyfile(stretching, folder / "model.keras")
    (folder / "training.json").write_text(
        json.dumps({"model": {"sha256": sha256_of(stretching)}, "dataset": {**record, "labels": ["a", "b"]}})
    )
    given = DatasetSpec(str(wide_pictures), image_size=(SIDE, SIDE))
    with pytest.raises(
        ConfigError, match=r"must be those of the training\. Received: others than its record has, crop, bil"
    ):
        export_here(folder, config=edgeconv.ExportConfig(fit="stretch"), dataset=given)
