"""Pictures for networks that take any size, and for those whose input has no axis of channels.

Trains a network of one layer, in a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.errors import ConfigError, InputError  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402
from tests.conversion.wide_pictures import Words  # noqa: E402

layers = keras.layers


@pytest.fixture
def of_any_size(tmp_path: Path) -> Path:
    path = tmp_path / "any.keras"
    alive(
        keras.Sequential(
            [
                layers.Input((None, None, 3)),
                layers.Rescaling(1 / 255),
                layers.Conv2D(4, 3),
                layers.GlobalAveragePooling2D(),
                layers.Dense(3, activation="softmax"),
            ]
        )
    ).save(path)
    return path


def test_a_network_of_any_size_takes_the_one_that_is_stated(of_any_size: Path, tmp_path: Path) -> None:
    config = edgeconv.ExportConfig(image_size=(20, 24), fit="stretch", embed_preprocessing=True)
    exported = export_here(of_any_size, config=config, out=tmp_path / "out")
    assert exported.manifest.preprocess is not None
    assert (exported.manifest.preprocess.height, exported.manifest.preprocess.width) == (20, 24)
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    model = keras.models.load_model(of_any_size)
    for variant in ("fp32", "e2e"):
        with edgeconv.Predictor(exported.path, variant=variant, top_k=3) as predictor:
            prepared = predictor.prepare(picture)
            assert prepared.shape == (20, 24, 3)
            answer = predictor.predict(picture)
            assert answer.probability == pytest.approx(model(prepared[None]).numpy()[0, answer.index], abs=1e-3)


def test_a_network_of_any_size_asks_for_one(of_any_size: Path, tmp_path: Path) -> None:
    words = Words()
    exported = export_here(of_any_size, config=edgeconv.ExportConfig(), out=tmp_path / "out", progress=words)
    assert any(
        "any size. State the one that pictures become, such as `--image-size 224x224`" in line for line in words.said
    )
    predictor = edgeconv.Predictor(exported.path)
    with pytest.raises(InputError, match=r"Export it again with `--image-size`"):
        predictor.predict(np.zeros((9, 9, 3), np.uint8))


def _rows(*first: Any) -> Any:
    return keras.Sequential([layers.Input((12, 12)), *first, layers.Flatten(), layers.Dense(2, activation="softmax")])


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an `.npz` of grey images that are bright on the left or on the right."""
    generator, arrays = np.random.default_rng(0), {}
    for split, count in (("train", 200), ("test", 60)):
        labels = np.arange(count) % 2
        images = generator.integers(0, 90, (count, 12, 12), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, 6 * label : 6 * label + 6] += 120
        arrays |= {f"x_{split}": images, f"y_{split}": labels.astype(np.uint8)}
    path = tmp_path_factory.mktemp("halves") / "halves.npz"
    np.savez(path, **arrays)
    return path


def test_an_input_without_channels_takes_grey_pictures(halves: Path, tmp_path: Path) -> None:
    arrays, path = np.load(halves), tmp_path / "flat.keras"
    keras.utils.set_random_seed(0)
    model = _rows()
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(arrays["x_train"] / 255, arrays["y_train"], epochs=10, verbose=0)
    model.save(path)
    config = edgeconv.ExportConfig(input_range="0:1", quantize=True, max_drop=5.0)
    exported = export_here(path, config=config, dataset=str(halves), out=tmp_path / "out")
    assert (exported.manifest.input.dtype, exported.manifest.input.shape) == ("uint8", ("batch", 12, 12, 1))
    assert exported.ledger.rows[0].accuracy == 1.0
    with edgeconv.Predictor(exported.path) as predictor:
        images = arrays["x_test"][:10]
        assert [predictor.predict(image).index for image in images] == arrays["y_test"][:10].tolist()
    assert edgeconv.evaluate(exported.path, dataset=str(halves)).rows[0].accuracy == 1.0


def test_a_layer_that_scales_pixels_tells_that_rows_are_a_picture(tmp_path: Path) -> None:
    alive(_rows(layers.Rescaling(1 / 255))).save(tmp_path / "m.keras")
    exported = export_here(tmp_path / "m.keras", config=edgeconv.ExportConfig(), out=tmp_path / "out")
    assert (exported.manifest.input.name, exported.manifest.input.shape) == ("image", ("batch", 12, 12, 1))


def test_rows_of_which_nobody_says_anything_stay_a_sequence(tmp_path: Path) -> None:
    alive(_rows()).save(tmp_path / "m.keras")
    exported = export_here(tmp_path / "m.keras", config=edgeconv.ExportConfig(), out=tmp_path / "out")
    assert exported.manifest.input.shape == ("batch", 12, 12)


def test_channels_first_are_given_last(tmp_path: Path) -> None:
    image = keras.Input((3, 12, 10))
    scaled = layers.Permute((2, 3, 1))(layers.Rescaling(1 / 255)(image))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(scaled))
    model = alive(keras.Model(image, layers.Dense(3, activation="softmax")(pooled)))
    model.save(tmp_path / "m.keras")
    words = Words()
    exported = export_here(tmp_path / "m.keras", config=edgeconv.ExportConfig(), out=tmp_path / "out", progress=words)
    assert "Input: pictures with their channels last, as files have them; the model's own come first." in words.said
    assert exported.manifest.input.shape == ("batch", 12, 10, 3)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 12, 10, 3), dtype=np.uint8)
    expected = model(pictures.transpose(0, 3, 1, 2).astype(np.float32)).numpy()
    np.testing.assert_allclose(edgeconv.Predictor(exported.path).probabilities(pictures), expected, atol=1e-5)


def test_arrays_are_said_to_be_arrays(tmp_path: Path) -> None:
    photo, sensor = keras.Input((8, 8, 3), name="photo"), keras.Input((4,), name="sensor")
    joined = layers.Concatenate()([layers.Flatten()(layers.Rescaling(1 / 255)(photo)), sensor])
    alive(keras.Model([photo, sensor], layers.Dense(2, activation="softmax")(joined))).save(tmp_path / "m.keras")
    words = Words()
    export_here(tmp_path / "m.keras", config=edgeconv.ExportConfig(), out=tmp_path / "out", progress=words)
    said = "Input: arrays, as Keras takes them: photo float32 (batch, 8, 8, 3), sensor float32 (batch, 4)."
    assert said in words.said


def test_what_is_stated_of_channels_is_what_the_network_takes(tmp_path: Path) -> None:
    alive(_rows()).save(tmp_path / "m.keras")
    exported = export_here(
        tmp_path / "m.keras", config=edgeconv.ExportConfig(channels=1, input_range="0:1"), out=tmp_path / "out"
    )
    assert exported.manifest.input.shape == ("batch", 12, 12, 1)
    with pytest.raises(ConfigError, match=r"`channels` must be what `.*` takes, 1 \(grey\)\. Received: 3 \(rgb\)"):
        export_here(tmp_path / "m.keras", config=edgeconv.ExportConfig(channels=3), out=tmp_path / "out")


def test_a_size_that_the_network_does_not_take_is_refused(tmp_path: Path) -> None:
    alive(_rows(layers.Rescaling(1 / 255))).save(tmp_path / "m.keras")
    config = edgeconv.ExportConfig(image_size=(28, 28))
    with pytest.raises(ConfigError, match=r"must be what `.*` takes, 12x12\. Received: 28x28"):
        export_here(tmp_path / "m.keras", config=config, out=tmp_path / "out")
