"""Networks of four channels: pictures with their alpha, from the file to the answer, as Keras loads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402
from tests.conversion.wide_pictures import Words  # noqa: E402

layers = keras.layers
SIZE = (20, 16)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("alpha") / "rgba.keras"
    body = [
        layers.Conv2D(4, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    ]
    alive(keras.Sequential([layers.Input((*SIZE, 4)), layers.Rescaling(1 / 255), *body])).save(path)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Return files with alpha, without, grey, and of few colours of which one is transparent."""
    picture = np.random.default_rng(0).integers(0, 256, (57, 41, 4), dtype=np.uint8)
    few = Image.fromarray(picture[..., :3].copy()).quantize(8)
    few.info["transparency"] = 2
    images = [Image.fromarray(picture), Image.fromarray(picture[..., :3].copy()), Image.fromarray(picture[..., 0]), few]
    paths = [tmp_path / f"{number}.png" for number in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        image.save(path)
    return paths


@pytest.mark.parametrize("variant", ["fp32", "e2e"])
def test_a_picture_keeps_its_alpha(variant: str, network: Path, pictures: list[Path], tmp_path: Path) -> None:
    words = Words()
    config = edgeconv.ExportConfig(fit="stretch", channels=4, embed_preprocessing=True)
    exported = export_here(network, config=config, out=tmp_path / "out", progress=words)
    assert "Pictures: RGB and alpha, stretched to 20x16, bilinear, antialiased." in words.said
    assert exported.manifest.input.shape == ("batch", *SIZE, 4)
    model = keras.models.load_model(network)
    with edgeconv.Predictor(exported.path, variant=variant) as predictor:
        for path in pictures:
            loaded = keras.utils.load_img(path, color_mode="rgba", target_size=SIZE, interpolation="bilinear")
            expected = model(np.asarray(loaded, np.float32)[None]).numpy()[0]
            answer = predictor.predict(path)
            assert np.array_equal(predictor.prepare(path), np.asarray(loaded))
            assert answer.probability == pytest.approx(expected[answer.index], abs=1e-5)
