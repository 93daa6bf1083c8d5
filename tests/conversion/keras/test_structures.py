"""Models of every structure through loading and conversion: each tracing takes about a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion.keras import KerasReference, load_keras  # noqa: E402
from edgeconv.errors import UnsupportedModelError  # noqa: E402
from tests.conversion.keras.converting import converted, layers, ops  # noqa: E402


@keras.saving.register_keras_serializable("tests")
class TwoHeads(keras.Model):  # type: ignore[misc]
    """A subclassed model with a dict of inputs and one of outputs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.one, self.two = layers.Dense(3), layers.Dense(2)

    def call(self, given: Any) -> Any:
        return {"second": self.two(given["b"]), "first": self.one(given["a"])}


def _names(reference: KerasReference) -> tuple[list[str], list[str]]:
    return [port.name for port in reference.inputs], [port.name for port in reference.outputs]


def test_several_inputs_and_outputs_keep_the_models_order_and_names(tmp_path: Path) -> None:
    zed, alpha = keras.Input((4,), name="zed"), keras.Input((4,), name="alpha")
    sums = layers.Dense(3, name="sums")(layers.Add()([zed, alpha]))
    model = keras.Model([zed, alpha], [layers.Dense(2, name="tail")(sums), sums, layers.Dense(2, name="head")(alpha)])
    assert _names(converted(model, tmp_path)[0]) == (["zed", "alpha"], ["tail", "sums", "head"])


def test_dicts_keep_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    """Keras and TensorFlow both sort the keys of a dict."""
    zed, alpha = keras.Input((4,), name="zed"), keras.Input((3,), name="alpha", dtype="int32")
    model = keras.Model(
        {"zed": zed, "alpha": alpha},
        {"second": layers.Dense(2)(zed), "first": layers.Dense(3)(ops.cast(alpha, "float32"))},
    )
    assert _names(converted(model, tmp_path)[0]) == (["zed", "alpha"], ["second", "first"])


def test_nested_structures_of_inputs(tmp_path: Path) -> None:
    one, two, three = (keras.Input((3,), name=name) for name in ("one", "two", "three"))
    model = keras.Model([one, {"pair": [two, three]}], layers.Dense(2)(layers.Concatenate()([one, two, three])))
    assert converted(model, tmp_path)[0].inputs[2].shape == (3,)


def test_one_layer_that_gives_two_outputs(tmp_path: Path) -> None:
    steps = keras.Input((6, 3))
    model = keras.Model(steps, list(layers.LSTM(4, return_state=True, name="memory")(steps)))
    assert _names(converted(model, tmp_path)[0])[1] == ["memory", "memory_1", "memory_2"]


def test_an_input_that_is_an_output_too(tmp_path: Path) -> None:
    given = keras.Input((3,), name="given")
    model = keras.Model(given, [given, layers.Dense(2, name="made")(given)])
    assert _names(converted(model, tmp_path)[0]) == (["given"], ["given_1", "made"])


def test_a_shared_layer_and_nested_models(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, activation="tanh"), layers.Dense(3)], name="inner")
    one, two = keras.Input((4,), name="one"), keras.Input((4,), name="two")
    model = keras.Model([one, two], layers.Dense(2, name="last")(layers.Subtract()([inner(one), inner(two)])))
    converted(model, tmp_path)


def test_a_subclassed_model_says_its_inputs_by_what_it_was_called_on(tmp_path: Path) -> None:
    model = TwoHeads()
    model({"a": np.zeros((2, 4), np.float32), "b": np.zeros((2, 5), np.float32)})
    reference, _ = converted(model, tmp_path, custom_objects=(f"{__name__}:TwoHeads",))
    assert _names(reference) == (["a", "b"], ["second", "first"])
    assert reference.inputs[1].shape == (5,)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool", "float16"])
def test_inputs_of_other_types(tmp_path: Path, dtype: str) -> None:
    given = keras.Input((4,), dtype=dtype, name="given")
    model = keras.Model(given, layers.Dense(3)(ops.cast(given, "float32")))
    assert converted(model, tmp_path)[0].inputs[0].dtype == dtype


def test_outputs_of_whole_numbers(tmp_path: Path) -> None:
    given = keras.Input((4,), name="given")
    scores = layers.Dense(5, name="scores")(given)
    reference, _ = converted(keras.Model(given, [scores, ops.argmax(scores, axis=-1)]), tmp_path)
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
    assert _names(converted(model, tmp_path, classes=True)[0]) == (["image"], ["probabilities"])


def test_height_and_width_may_be_dynamic(tmp_path: Path) -> None:
    picture = keras.Input((None, None, 3))
    features = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(picture)
    reference, session = converted(keras.Model(picture, layers.UpSampling2D()(features)), tmp_path)
    assert reference.inputs[0].axes == ("batch", "height", "width", 3)
    assert session.get_inputs()[0].shape == ["batch", "height", "width", 3]


def test_a_batch_size_of_its_own_stays_where_another_cannot_be(tmp_path: Path) -> None:
    given = keras.Input(batch_shape=(2, 6), name="given")
    model = keras.Model(given, layers.Dense(3)(ops.reshape(given, (2, 6))))
    reference, session = converted(model, tmp_path)
    assert reference.batch == 2
    assert session.get_inputs()[0].shape == [2, 6]


def test_a_batch_size_that_keras_noted_by_itself_does_not_stay(tmp_path: Path) -> None:
    model = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    model(np.zeros((4, 5), np.float32))
    reference, _ = converted(model, tmp_path)
    assert reference.batch is None


def test_a_model_that_was_never_called_is_refused(tmp_path: Path) -> None:
    keras.Sequential([layers.Dense(3)], name="raw").save(tmp_path / "model.keras")
    with pytest.raises(UnsupportedModelError, match=r"the model 'raw' of the class Sequential, which was never called"):
        load_keras(tmp_path / "model.keras")
