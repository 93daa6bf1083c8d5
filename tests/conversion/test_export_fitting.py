"""How pictures of another aspect reach a network: Keras' loader stretches them, and a crop answered by chance.

Trains a network of a few dozen weights, in seconds.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")
tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.artifact import sha256_of  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.datasets import DatasetSpec  # noqa: E402
from edgeconv.errors import ConfigError, DatasetError  # noqa: E402
from edgeconv.progress import SILENT  # noqa: E402

layers = keras.layers
SIDE = 16


class Words(type(SILENT)):  # type: ignore[misc]  # Its class has no public name.
    """A listener that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture(scope="module")
def wide_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return pictures of 24 x 72 by class: what tells the classes apart lies at the ends, which a crop cuts off."""
    folder, generator = tmp_path_factory.mktemp("wide"), np.random.default_rng(0)
    for split, count in (("train", 60), ("test", 20)):
        for label, name in enumerate(("left", "right")):
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                picture = generator.integers(0, 60, (24, 72, 3), dtype=np.uint8)
                picture[4:20, (2 + 54 * label) : (16 + 54 * label)] += 180
                Image.fromarray(picture).save(folder / split / name / f"{index:02}.png")
    return folder


@pytest.fixture(scope="module")
def stretching(wide_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a network as the tutorials of Keras train them: its loader stretches, bilinear, without antialiasing."""
    size = (SIDE, SIDE)
    loaded = keras.utils.image_dataset_from_directory(wide_pictures / "train", image_size=size, seed=0, verbose=False)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 3)),
            layers.Rescaling(1 / 255),
            *(layers.AveragePooling2D(4), layers.Flatten(), layers.Dense(2, activation="softmax")),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    model.fit(loaded, epochs=10, verbose=0)
    path = tmp_path_factory.mktemp("stretching") / "wide.keras"
    model.save(path)
    return path


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
    # The artifact says how pictures are fitted: an evaluation needs no option.
    assert edgeconv.evaluate(exported.path, dataset=spec).rows[0].accuracy == 1.0


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


def test_pictures_are_not_fitted_otherwise_than_for_the_training(
    stretching: Path, wide_pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "exported" / "own"
    record = {"preparation": {"kind": "resize", "height": SIDE, "width": SIDE, "channels": 3}}
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
