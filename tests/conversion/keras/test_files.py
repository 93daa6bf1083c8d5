"""Files of each form, and models that are rebuilt or that no CPU runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion.keras import load_keras  # noqa: E402
from edgeconv.conversion.variants.context import VariantContext  # noqa: E402
from edgeconv.conversion.variants.making import make_variants  # noqa: E402
from edgeconv.errors import UnsupportedModelError  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402
from tests.conversion.keras.converting import converted, layers, reloaded  # noqa: E402


def test_h5_files(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)])
    converted(model, tmp_path, suffix=".h5")


def test_a_saved_model_is_refused_until_it_is_trusted(tmp_path: Path) -> None:
    model = alive(keras.Sequential([keras.Input((4,), name="given"), layers.Dense(3, activation="relu")]))
    model.export(tmp_path / "saved", verbose=False)
    with pytest.raises(UnsupportedModelError, match=r"a SavedModel, whose graph may read and write files.*--unsafe"):
        load_keras(tmp_path / "saved")
    reference = load_keras(tmp_path / "saved", unsafe=True)
    file = make_variants(VariantContext(reference)).fp32
    given = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    session = ort.InferenceSession(file.bytes, providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {reference.inputs[0].name: given})
    np.testing.assert_allclose(answer, model(given), atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_rebuilt_in_float32(tmp_path: Path, policy: str) -> None:
    picture = keras.Input((8, 8, 3), dtype="uint8")
    with_policy = {"dtype": policy}
    features = layers.Conv2D(4, 3, activation="relu", **with_policy)(layers.Rescaling(1 / 255, **with_policy)(picture))
    features = layers.BatchNormalization(**with_policy)(features)
    scores = layers.Dense(3, **with_policy)(layers.Flatten(**with_policy)(features))
    model = keras.Model(picture, layers.Activation("softmax", dtype="float32")(scores))
    reference, _ = converted(model, tmp_path)
    assert reference.trained is not reference.model
    file = make_variants(VariantContext(reference)).fp32
    assert "Cast" not in [node.op_type for node in file.model.graph.node[1:]]


def test_what_has_no_kernel_on_a_cpu_is_compared_all_the_same(tmp_path: Path) -> None:
    """TensorFlow convolves channels first on a GPU only."""
    given = keras.Input((3, 12, 10), name="given")
    converted(keras.Model(given, layers.Conv2D(4, 3, data_format="channels_first")(given)), tmp_path)


def test_inputs_that_keras_does_not_take_are_reported_with_the_layer(tmp_path: Path) -> None:
    given = keras.Input((None, 3), name="given")
    model = keras.Model(given, layers.Conv1D(2, 300, name="wide")(given))
    reference = reloaded(model, tmp_path)
    with pytest.raises(UnsupportedModelError, match=r"layer `wide` \(Conv1D\): it must answer in Keras"):
        reference.run({"given": np.zeros((2, 7, 3), np.float32)})


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    from edgeconv.errors import ArtifactError

    with pytest.raises(ArtifactError, match=r"a folder without `saved_model\.pb`"):
        load_keras(tmp_path)
