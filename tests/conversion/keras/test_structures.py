"""Models of every structure through loading and conversion: each tracing takes about a second."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion.keras import KerasReference, load_keras  # noqa: E402
from edgeconv.conversion.variants.context import VariantContext  # noqa: E402
from edgeconv.conversion.variants.making import make_variants  # noqa: E402
from edgeconv.errors import ConfigError, UnsupportedModelError  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers, ops = keras.layers, keras.ops


@keras.saving.register_keras_serializable("tests")
class Scaled(layers.Layer):  # type: ignore[misc]
    """A custom layer."""

    def call(self, x: Any) -> Any:
        return 3.0 * x


@keras.saving.register_keras_serializable("tests")
class TwoHeads(keras.Model):  # type: ignore[misc]
    """A subclassed model with a dict of inputs and one of outputs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.one, self.two = layers.Dense(3), layers.Dense(2)

    def call(self, given: Any) -> Any:
        return {"second": self.two(given["b"]), "first": self.one(given["a"])}


def _reloaded(model: Any, folder: Path, suffix: str = ".keras", **options: Any) -> KerasReference:
    path = folder / f"model{suffix}"
    alive(model).save(path)
    return load_keras(path, **options)


def _converted(model: Any, folder: Path, **options: Any) -> tuple[KerasReference, Any]:
    """Return the reference and ONNX Runtime's session, after comparing both on inputs of this test's own."""
    made = make_variants(VariantContext(_reloaded(model, folder, **options)))
    reference, file = made.reference, made.fp32
    session = ort.InferenceSession(file.bytes, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(99)
    feeds = {
        port.name: generator.uniform(0, 4, port.sized(reference.batch or 5, 40)).astype(port.dtype)
        for port in reference.inputs
    }
    for name, answer in zip(reference.run(feeds).items(), session.run(None, feeds), strict=True):
        np.testing.assert_allclose(answer, name[1], rtol=1e-4, atol=1e-4 * max(1.0, float(np.ptp(name[1]))))
    assert [value.name for value in session.get_inputs()] == [port.name for port in reference.inputs]
    assert [value.name for value in session.get_outputs()] == [port.name for port in reference.outputs]
    return reference, session


def _names(reference: KerasReference) -> tuple[list[str], list[str]]:
    return [port.name for port in reference.inputs], [port.name for port in reference.outputs]


def test_several_inputs_and_outputs_keep_the_models_order_and_names(tmp_path: Path) -> None:
    zed, alpha = keras.Input((4,), name="zed"), keras.Input((4,), name="alpha")
    sums = layers.Dense(3, name="sums")(layers.Add()([zed, alpha]))
    model = keras.Model([zed, alpha], [layers.Dense(2, name="tail")(sums), sums, layers.Dense(2, name="head")(alpha)])
    assert _names(_converted(model, tmp_path)[0]) == (["zed", "alpha"], ["tail", "sums", "head"])


def test_dicts_keep_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    """Keras and TensorFlow both sort the keys of a dict."""
    zed, alpha = keras.Input((4,), name="zed"), keras.Input((3,), name="alpha", dtype="int32")
    model = keras.Model(
        {"zed": zed, "alpha": alpha},
        {"second": layers.Dense(2)(zed), "first": layers.Dense(3)(ops.cast(alpha, "float32"))},
    )
    assert _names(_converted(model, tmp_path)[0]) == (["zed", "alpha"], ["second", "first"])


def test_nested_structures_of_inputs(tmp_path: Path) -> None:
    one, two, three = (keras.Input((3,), name=name) for name in ("one", "two", "three"))
    model = keras.Model([one, {"pair": [two, three]}], layers.Dense(2)(layers.Concatenate()([one, two, three])))
    assert _converted(model, tmp_path)[0].inputs[2].shape == (3,)


def test_one_layer_that_gives_two_outputs(tmp_path: Path) -> None:
    steps = keras.Input((6, 3))
    model = keras.Model(steps, list(layers.LSTM(4, return_state=True, name="memory")(steps)))
    assert _names(_converted(model, tmp_path)[0])[1] == ["memory", "memory_1", "memory_2"]


def test_an_input_that_is_an_output_too(tmp_path: Path) -> None:
    given = keras.Input((3,), name="given")
    model = keras.Model(given, [given, layers.Dense(2, name="made")(given)])
    assert _names(_converted(model, tmp_path)[0]) == (["given"], ["given_1", "made"])


def test_a_shared_layer_and_nested_models(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, activation="tanh"), layers.Dense(3)], name="inner")
    one, two = keras.Input((4,), name="one"), keras.Input((4,), name="two")
    model = keras.Model([one, two], layers.Dense(2, name="last")(layers.Subtract()([inner(one), inner(two)])))
    _converted(model, tmp_path)


def test_a_subclassed_model_says_its_inputs_by_what_it_was_called_on(tmp_path: Path) -> None:
    model = TwoHeads()
    model({"a": np.zeros((2, 4), np.float32), "b": np.zeros((2, 5), np.float32)})
    reference, _ = _converted(model, tmp_path, custom_objects=(f"{__name__}:TwoHeads",))
    assert _names(reference) == (["a", "b"], ["second", "first"])
    assert reference.inputs[1].shape == (5,)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool", "float16"])
def test_inputs_of_other_types(tmp_path: Path, dtype: str) -> None:
    given = keras.Input((4,), dtype=dtype, name="given")
    model = keras.Model(given, layers.Dense(3)(ops.cast(given, "float32")))
    assert _converted(model, tmp_path)[0].inputs[0].dtype == dtype


def test_outputs_of_whole_numbers(tmp_path: Path) -> None:
    given = keras.Input((4,), name="given")
    scores = layers.Dense(5, name="scores")(given)
    reference, _ = _converted(keras.Model(given, [scores, ops.argmax(scores, axis=-1)]), tmp_path)
    assert [port.dtype for port in reference.outputs] == ["float32", "int32"]


def test_strings_are_refused_by_name(tmp_path: Path) -> None:
    text = keras.Input((1,), dtype="string", name="text")
    model = keras.Model(text, layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot", name="lookup")(text))
    model.save(tmp_path / "model.keras")
    with pytest.raises(UnsupportedModelError, match="the input `text` of string"):
        load_keras(tmp_path / "model.keras")


def test_a_picture_classifier_is_called_image_and_probabilities(tmp_path: Path) -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 3), name="photo"), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3, name="scores")]
    )
    assert _names(_converted(model, tmp_path, classes=True)[0]) == (["image"], ["probabilities"])


def test_height_and_width_may_be_dynamic(tmp_path: Path) -> None:
    picture = keras.Input((None, None, 3))
    features = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(picture)
    reference, session = _converted(keras.Model(picture, layers.UpSampling2D()(features)), tmp_path)
    assert reference.inputs[0].axes == ("batch", "height", "width", 3)
    assert session.get_inputs()[0].shape == ["batch", "height", "width", 3]


def test_a_batch_size_of_its_own_stays_where_another_cannot_be(tmp_path: Path) -> None:
    given = keras.Input(batch_shape=(2, 6), name="given")
    model = keras.Model(given, layers.Dense(3)(ops.reshape(given, (2, 6))))
    reference, session = _converted(model, tmp_path)
    assert reference.batch == 2
    assert session.get_inputs()[0].shape == [2, 6]


def test_a_batch_size_that_keras_noted_by_itself_does_not_stay(tmp_path: Path) -> None:
    model = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    model(np.zeros((4, 5), np.float32))
    reference, _ = _converted(model, tmp_path)
    assert reference.batch is None


def test_a_model_that_was_never_called_is_refused(tmp_path: Path) -> None:
    keras.Sequential([layers.Dense(3)], name="raw").save(tmp_path / "model.keras")
    with pytest.raises(UnsupportedModelError, match=r"the model 'raw' of the class Sequential, which was never called"):
        load_keras(tmp_path / "model.keras")


def test_custom_layers_come_from_the_users_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bespoke_layers.py").write_text(
        "import keras\n\nclass Doubled(keras.layers.Layer):\n    def call(self, x):\n        return 2 * x\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import bespoke_layers

    model = keras.Sequential([keras.Input((4,)), bespoke_layers.Doubled(), layers.Dense(3)])
    with pytest.raises(UnsupportedModelError, match=r"--custom-objects bespoke_layers`"):
        _reloaded(model, tmp_path)
    for option in ("bespoke_layers:Doubled", "bespoke_layers"):
        _converted(model, tmp_path, custom_objects=(option,))


def test_what_a_named_package_registers_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers and functions that lie deep in a library are Keras' to find once the library is imported."""
    (tmp_path / "deephub" / "src").mkdir(parents=True)
    (tmp_path / "deephub" / "__init__.py").write_text("from deephub.src import parts")
    (tmp_path / "deephub" / "src" / "parts.py").write_text(
        "import keras\n\nregister = keras.saving.register_keras_serializable('deephub')\n\n"
        "@register\nclass Doubled(keras.layers.Layer):\n    def call(self, x):\n        return 2 * x\n\n"
        "@register\ndef squared(x):\n    return x * x\n"
    )
    monkeypatch.chdir(tmp_path)
    code = (
        "import keras, deephub.src.parts as parts\n"
        "dense = keras.layers.Dense(3, activation=parts.squared)\n"
        "keras.Sequential([keras.Input((4,)), parts.Doubled(), dense]).save('model.keras')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    with pytest.raises(UnsupportedModelError) as caught:
        load_keras(Path("model.keras"))
    for missing in ("needs the class `deephub.src.parts.Doubled`", "the layer `dense` the function `deephub>squared`"):
        assert missing in str(caught.value)
    assert "run `edgeconv export model.keras --custom-objects deephub`; if of another" in str(caught.value)
    reference = load_keras(Path("model.keras"), custom_objects=("deephub",))
    assert reference.model.layers[-1].activation.__name__ == "squared"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (":Doubled", "must be a module, or module:Name"),
        ("json:", "must be a module, or module:Name"),
        ("Doubled", "no module 'Doubled'. Install it, run edgeconv in the module's folder"),
        ("no_such_module_anywhere:Doubled", "no module 'no_such_module_anywhere'"),
        ("json:Doubled", "has no 'Doubled'"),
    ],
)
def test_custom_objects_that_cannot_be_imported(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        _reloaded(keras.Sequential([keras.Input((4,)), layers.Dense(3)]), tmp_path, custom_objects=(name,))


def test_a_registered_layer_needs_no_import(tmp_path: Path) -> None:
    _converted(
        keras.Sequential([keras.Input((4,)), Scaled(), layers.Dense(3)]),
        tmp_path,
        custom_objects=(f"{__name__}:Scaled",),
    )


def test_a_lambda_as_an_activation_is_named_as_the_error_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acts.py").write_text(
        "import keras\n\n@keras.saving.register_keras_serializable()\ndef doubled(x):\n    return x * 2\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import acts

    first = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation=lambda x: x * 2, name="scores")])
    with pytest.raises(UnsupportedModelError, match=r"the layer `scores`, whose `activation` is a lambda\. Define"):
        _reloaded(first, tmp_path)
    second = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation=acts.doubled)])
    second.set_weights(first.get_weights())
    _converted(second, tmp_path, custom_objects=("acts",))


def test_a_lambda_is_refused_until_it_is_trusted(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2, name="twice"), layers.Dense(3)])
    with pytest.raises(UnsupportedModelError, match=r"twice.*--unsafe"):
        _reloaded(model, tmp_path)
    _converted(model, tmp_path, unsafe=True)


def test_h5_files(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)])
    _converted(model, tmp_path, suffix=".h5")


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
    reference, _ = _converted(model, tmp_path)
    assert reference.trained is not reference.model
    file = make_variants(VariantContext(reference)).fp32
    assert "Cast" not in [node.op_type for node in file.model.graph.node[1:]]


def test_what_has_no_kernel_on_a_cpu_is_compared_all_the_same(tmp_path: Path) -> None:
    """TensorFlow convolves channels first on a GPU only."""
    given = keras.Input((3, 12, 10), name="given")
    _converted(keras.Model(given, layers.Conv2D(4, 3, data_format="channels_first")(given)), tmp_path)


def test_inputs_that_keras_does_not_take_are_reported_with_the_layer(tmp_path: Path) -> None:
    given = keras.Input((None, 3), name="given")
    model = keras.Model(given, layers.Conv1D(2, 300, name="wide")(given))
    reference = _reloaded(model, tmp_path)
    with pytest.raises(UnsupportedModelError, match=r"layer `wide` \(Conv1D\): it must answer in Keras"):
        reference.run({"given": np.zeros((2, 7, 3), np.float32)})


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    from edgeconv.errors import ArtifactError

    with pytest.raises(ArtifactError, match=r"a folder without `saved_model\.pb`"):
        load_keras(tmp_path)
