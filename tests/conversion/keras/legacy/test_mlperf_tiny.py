"""MLPerf Tiny's reference models, from the files as their authors saved them; unofficial."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeconv
from edgeconv.config import ExportConfig

pytestmark = pytest.mark.train

FOLDER = Path(os.environ.get("EDGECONV_DATA", "")) / "mlperf-tiny"

OPTIONS: dict[str, Any] = {"kws_dscnn": {"unsafe": True}}
"""A SavedModel's graph may read and write files."""

needs_models = pytest.mark.skipif(
    not os.environ.get("EDGECONV_DATA") or not FOLDER.is_dir(),
    reason="MLPerf Tiny's models are in the folder mlperf-tiny of EDGECONV_DATA, which is not there",
)


@needs_models
@pytest.mark.parametrize("name", ["ic_resnet8.h5", "vww_mobilenet_96.h5", "ad_autoencoder.h5", "kws_dscnn"])
def test_each_is_exported_and_answers_as_keras_2_does(name: str, tmp_path: Path) -> None:
    """Takes some seconds each: the whole export, in its process, and Keras 2 beside it."""
    onnxruntime = pytest.importorskip("onnxruntime")
    exported = edgeconv.export(FOLDER / name, config=ExportConfig(**OPTIONS.get(name, {})), out=tmp_path / "out")
    session = onnxruntime.InferenceSession(exported.path / "model.onnx")
    shape = [2, *session.get_inputs()[0].shape[1:]]
    x = np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)
    wanted = _keras2_answer(FOLDER / name, x)
    np.testing.assert_allclose(
        session.run(None, {session.get_inputs()[0].name: x})[0], wanted, atol=1e-4 * np.ptp(wanted)
    )


def _keras2_answer(path: Path, x: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    if path.is_dir():
        signature = tf.saved_model.load(str(path)).signatures["serving_default"]
        (name,) = signature.structured_input_signature[1]
        (answer,) = signature(**{name: tf.constant(x)}).values()
        return np.asarray(answer)
    tf_keras = pytest.importorskip("tf_keras", reason="Keras 2 answers where the extra `legacy` is installed")
    return np.asarray(tf_keras.models.load_model(path, compile=False)(x))
