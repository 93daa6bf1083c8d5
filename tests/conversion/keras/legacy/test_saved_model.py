"""SavedModels: of TensorFlow 1, with several signatures, with the slots of an optimizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="SavedModels need the extra `train`")

from edgeconv.conversion.keras import load_keras  # noqa: E402
from edgeconv.errors import ConfigError, UnsupportedModelError  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def by_tensorflow1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SavedModel of TensorFlow 1 with the signatures `half` and `twice` of its input `x`."""
    v1, path = tf.compat.v1, tmp_path_factory.mktemp("tf1") / "model"
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, (None, 3), name="x")
        kernel = v1.get_variable("kernel", initializer=np.eye(3, dtype=np.float32))
        answers = {"half": 0.5 * x @ kernel, "twice": 2.0 * x @ kernel}
        session.run(v1.global_variables_initializer())
        define = v1.saved_model.signature_def_utils.predict_signature_def
        signatures = {name: define({"x": x}, {"y": answer}) for name, answer in answers.items()}
        builder = v1.saved_model.builder.SavedModelBuilder(str(path))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()
    return path


@pytest.mark.parametrize(("signature", "factor"), [("half", 0.5), ("twice", 2.0)])
def test_a_signature_of_tensorflow_1_is_chosen(by_tensorflow1: Path, signature: str, factor: float) -> None:
    reference = load_keras(by_tensorflow1, unsafe=True, signature=signature)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    (answer,) = reference.run({reference.inputs[0].name: x}).values()
    np.testing.assert_allclose(answer, factor * x)
    assert reference.to_onnx().graph.node


@pytest.mark.parametrize(
    ("signature", "given"), [(None, "no signature `serving_default`"), ("double", "`signature` is 'double'")]
)
def test_a_signature_that_is_not_there_is_told_from_those_that_are(
    by_tensorflow1: Path, signature: str | None, given: str
) -> None:
    with pytest.raises(
        ConfigError, match=rf"Received: {given}, and it has `half`, `twice`\. Choose one with `--signature half`"
    ):
        load_keras(by_tensorflow1, unsafe=True, signature=signature)


def test_a_signature_is_no_option_of_files(tmp_path: Path) -> None:
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]).save(tmp_path / "m.keras")
    with pytest.raises(ConfigError, match="`signature` is for a SavedModel's folder"):
        load_keras(tmp_path / "m.keras", signature="serving_default")


def test_a_saved_model_needs_a_signature(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path / "m"))
    with pytest.raises(UnsupportedModelError, match="must have a signature to call"):
        load_keras(tmp_path / "m", unsafe=True)


def test_random_numbers_in_its_graph_are_refused(tmp_path: Path) -> None:
    keras2 = pytest.importorskip("tf_keras", reason="Keras 2's RandomCrop draws where the extra `legacy` is installed")
    keras2.Sequential([keras2.layers.RandomCrop(6, 5, input_shape=(9, 8, 3))]).save(tmp_path / "m", save_format="tf")
    line = (
        r"layer `saved_model` \(SavedModel\), which draws random numbers\. Give the model as a `\.keras` or `\.h5` file"
    )
    with pytest.raises(UnsupportedModelError, match=line):
        load_keras(tmp_path / "m", unsafe=True).to_onnx()


def test_slots_of_an_optimizer_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow makes slots by the optimizer that it finds, and without it: `_UserObject` has no `add_slot`."""
    tf_keras = pytest.importorskip("tf_keras", reason="Keras 2 writes slots where the extra `legacy` is installed")
    model = tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(3,))])
    model.compile(tf_keras.optimizers.legacy.Adam(), "mse")
    x = np.ones((4, 3), np.float32)
    model.fit(x, np.ones((4, 2), np.float32), verbose=0)
    model.save(tmp_path / "m", save_format="tf")
    _forget_optimizers(monkeypatch)
    with pytest.raises(AttributeError, match="'_UserObject' object has no attribute 'add_slot'"):
        tf.saved_model.load(str(tmp_path / "m"))
    reference = load_keras(tmp_path / "m", unsafe=True)
    (answer,) = reference.run({reference.inputs[0].name: x}).values()
    np.testing.assert_allclose(answer, model(x).numpy(), rtol=1e-6)
    assert reference.parameters == 8


def test_its_range_and_its_task_are_read(tmp_path: Path) -> None:
    keras2 = pytest.importorskip("tf_keras", reason="Keras 2 writes its loss where the extra `legacy` is installed")
    first = [keras2.layers.Rescaling(1 / 255, input_shape=(8, 8, 3), name="scale"), keras2.layers.Flatten()]
    model = keras2.Sequential([*first, keras2.layers.Dense(4)])
    model.compile("sgd", keras2.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.save(tmp_path / "m", save_format="tf")
    reference = load_keras(tmp_path / "m", unsafe=True)
    assert reference.pixels.sentence == "Input: `scale` makes 0..255 into 0..1."
    assert (reference.task, reference.head.pending) == ("classes", "softmax")
    assert reference.head.reason == "read from the loss sparse_categorical_crossentropy"


def _forget_optimizers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let TensorFlow know no optimizer by its name, as in a process that has imported none of that version."""
    from tensorflow.python.saved_model import revived_types

    known = {name: kinds for name, kinds in revived_types._REVIVED_TYPE_REGISTRY.items() if name != "optimizer"}
    monkeypatch.setattr(revived_types, "_REVIVED_TYPE_REGISTRY", known)
