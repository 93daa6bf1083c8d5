"""What a pixel means, from a trained network to its answers: each case answered wrongly once, with all gates held.

Trains networks of a few hundred weights, seconds each.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.errors import ConfigError  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers
SIDE = 16


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """Return bars, 400 to learn and 100 to be judged by: upright ones are class 0, flat ones class 1."""
    generator = np.random.default_rng(0)
    made = {}
    for split, count in (("train", 400), ("test", 100)):
        labels = np.arange(count) % 2
        images = generator.integers(0, 80, (count, SIDE, SIDE, 3), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            at = generator.integers(2, SIDE - 4)
            (image.swapaxes(0, 1) if label == 0 else image)[at : at + 2] += 150
        made |= {f"x_{split}": images, f"y_{split}": labels.astype(np.uint8)}
    return made


@pytest.fixture(scope="module")
def data(arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("data") / "bars.npz"
    np.savez(path, **arrays)
    return str(path)


def adapted(values: np.ndarray) -> Any:
    layer = layers.Normalization()
    layer.adapt(values)
    return layer


def trained(first: Sequence[Any], values: np.ndarray, labels: np.ndarray, path: Path) -> Path:
    keras.utils.set_random_seed(0)
    body = [
        *(layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(2), layers.Conv2D(8, 3, activation="relu")),
        *(layers.GlobalMaxPooling2D(), layers.Dense(2, activation="softmax")),
    ]
    model = keras.Sequential([layers.Input((SIDE, SIDE, 3)), *first, *body])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(values, labels, epochs=6, batch_size=32, verbose=0)
    model.save(path)
    return path


def accuracy(exported: edgeconv.ExportedModel, arrays: dict[str, np.ndarray]) -> float:
    answers = edgeconv.Predictor(exported.path).predict_many(arrays["x_test"])
    indices = [answer.prediction.index for answer in answers if answer.prediction]
    return float((np.array(indices) == arrays["y_test"]).mean())


@pytest.mark.parametrize("case", ["rescaling for 0..1", "normalization of 0..1"])
def test_a_network_of_floats_that_scales_them_is_no_network_of_pixels(
    case: str, arrays: dict[str, np.ndarray], data: str, tmp_path: Path
) -> None:
    floats = arrays["x_train"].astype(np.float32) / 255
    first = layers.Rescaling(2.0, offset=-1.0) if case.startswith("rescaling") else adapted(floats)
    path = trained([first], floats, arrays["y_train"], tmp_path / "m.keras")
    bare = export_here(path, config=edgeconv.ExportConfig(), out=tmp_path / "bare")
    assert (bare.manifest.input.dtype, bare.manifest.preprocess) == ("float32", None)
    with pytest.raises(ConfigError, match=r"which no network is trained on\. State what your own code made of 0 and 2"):
        export_here(path, config=edgeconv.ExportConfig(), dataset=data, out=tmp_path / "bare")
    stated = edgeconv.ExportConfig(input_range="0:1", quantize=True, max_drop=10.0)
    exported = export_here(path, config=stated, dataset=data, out=tmp_path / "stated")
    assert accuracy(exported, arrays) > 0.9


def test_a_scaling_layer_behind_augmentation_needs_no_statement(
    arrays: dict[str, np.ndarray], data: str, tmp_path: Path
) -> None:
    augmentation = keras.Sequential([layers.RandomTranslation(0.05, 0.05), layers.GaussianNoise(1.0)])
    first = [augmentation, layers.ZeroPadding2D(1), layers.Rescaling(1 / 255)]
    path = trained(first, arrays["x_train"].astype(np.float32), arrays["y_train"], tmp_path / "m.keras")
    exported = export_here(path, config=edgeconv.ExportConfig(), dataset=data, out=tmp_path / "out")
    assert exported.manifest.input.dtype == "uint8"
    assert accuracy(exported, arrays) > 0.9


@pytest.mark.parametrize("mode", ["caffe", "torch", "0:65535"])
def test_a_stated_range_is_folded_into_the_first_layer(
    mode: str, arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    model = alive(
        keras.Sequential(
            [
                layers.Input((SIDE, SIDE, 3)),
                layers.Conv2D(4, 3),
                layers.Flatten(),
                layers.Dense(2, activation="softmax"),
            ]
        )
    )
    path = tmp_path / "m.keras"
    model.save(path)
    exported = export_here(path, config=edgeconv.ExportConfig(input_range=mode), out=tmp_path / "out")
    assert exported.manifest.provenance is not None
    assert exported.manifest.provenance.input_range == mode
    pixels = arrays["x_test"][:8].astype(np.float32)
    preprocess = keras.src.applications.imagenet_utils.preprocess_input
    expected = model(pixels * 257.0 if ":" in mode else preprocess(pixels.copy(), mode=mode)).numpy()
    with edgeconv.Predictor(exported.path) as predictor:
        np.testing.assert_allclose(predictor.probabilities(arrays["x_test"][:8]), expected, atol=1e-4)
    operators = [node.op_type for node in onnx.load(exported.path / "model.onnx").graph.node]
    assert operators[:3] == ["Cast", "Transpose", "Conv"]
