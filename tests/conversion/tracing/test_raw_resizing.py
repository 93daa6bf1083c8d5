"""Resizing in the graphs of SavedModels, which no patch of Keras reaches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.train
tf = pytest.importorskip("tensorflow", reason="SavedModels need the extra `train`")
onnxruntime = pytest.importorskip("onnxruntime")

from edgeconv.conversion.keras import load_keras  # noqa: E402
from edgeconv.errors import UnsupportedModelError  # noqa: E402


def saved(path: Path, method: str, size: tuple[int, int], shape: tuple[int | None, ...]) -> Path:
    module = tf.Module()
    module.resize = tf.function(
        lambda x: tf.image.resize(x, size, method=method), input_signature=[tf.TensorSpec(shape, "float32")]
    )
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.resize})
    return path


@pytest.mark.parametrize("size", [(19, 17), (7, 8), (13, 20)])
@pytest.mark.parametrize("method", ["bicubic", "area"])
def test_pictures_are_resized_as_tensorflow_does(method: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = saved(tmp_path / "m", method, size, (None, 13, 12, 3))
    graph = load_keras(path, unsafe=True, task="any").to_onnx()
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).uniform(0, 1, (2, 13, 12, 3)).astype(np.float32)
    (given,) = session.run(None, {session.get_inputs()[0].name: images})
    np.testing.assert_allclose(given, tf.image.resize(images, size, method=method), atol=1e-6)


def test_sizes_that_are_known_late_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "m", "bicubic", (5, 5), (None, None, None, 3))
    with pytest.raises(UnsupportedModelError, match=r"ResizeBicubic .*sizes that are known when it runs alone"):
        load_keras(path, unsafe=True, task="any").to_onnx()
