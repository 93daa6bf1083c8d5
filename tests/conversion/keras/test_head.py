"""What the outputs of a model mean is read from its head, stated, or asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion.keras.loading import load_keras  # noqa: E402
from edgeconv.conversion.keras.loss import Loss  # noqa: E402
from edgeconv.errors import ConfigError  # noqa: E402

layers, losses = keras.layers, keras.losses


def _saved(path: Path, ends: Sequence[Any], loss: Any = None) -> Path:
    """Save a network of pictures whose last layers are given; maps where the first of these is a convolution."""
    maps = isinstance(ends[0], layers.Conv2D)
    between = [] if maps else [layers.Flatten()]
    network = keras.Sequential([keras.Input((6, 6, 1)), layers.Conv2D(2, 3, padding="same"), *between, *ends])
    if loss is not None:
        network.compile(loss=loss)
    network.save(path)
    return path


LOGITS = losses.SparseCategoricalCrossentropy(from_logits=True)

HEADS = [
    ([layers.Dense(3, "softmax", name="head")], None, "classes", "one class of 3, read from the softmax of `head`."),
    ([layers.Dense(3, name="head")], LOGITS, "classes", r"the loss sparse_categorical_crossentropy; .* the softmax."),
    ([layers.Dense(3, "sigmoid", name="head")], None, "tags", "3 tags, read from the sigmoid of `head`."),
    ([layers.Dense(3), layers.Activation("sigmoid", name="act"), layers.Dropout(0.1)], None, "tags", "of `act`."),
    ([layers.Dense(3)], losses.BinaryCrossentropy(from_logits=True), "tags", "a runtime does the sigmoid."),
    ([layers.Dense(3, "sigmoid")], "mse", "values", "3 values, read from the loss mean_squared_error."),
    ([layers.Dense(1, "sigmoid", name="head")], None, "yes-no", "yes or no, read from the sigmoid of `head`."),
    ([layers.Dense(1, name="head")], None, "values", "a value, read from the linear layer `head`."),
    ([layers.Dense(3)], "mae", "values", "read from the loss mean_absolute_error."),
    ([layers.Dense(3), layers.UnitNormalization(name="unit")], None, "embedding", "the unit vectors of `unit`."),
    (
        [layers.Conv2D(3, 1, activation="softmax", name="head")],
        None,
        "mask",
        "a mask, .* softmax of `head`.",
    ),
    ([layers.Conv2D(1, 1, activation="sigmoid")], None, "mask", "a mask, read from the sigmoid"),
    ([layers.Conv2D(3, 1)], LOGITS, "mask", "the softmax."),
    ([layers.Conv2D(2, 1)], None, "any", r"no task has the shape \(batch, 6, 6, 2\)."),
    ([layers.Conv2D(3, 1, activation="tanh")], None, "any", "nothing says whether they are pictures.*`--task picture`"),
    ([layers.Conv2D(1, 1, activation="sigmoid")], "mse", "any", "nothing says whether they are pictures"),
    ([layers.Dense(3, "hard_sigmoid", name="head")], None, "tags", "3 tags, read from the hard_sigmoid of `head`."),
    (
        [layers.Conv2D(3, 1, activation="softmax", name="head"), layers.UpSampling2D(2, interpolation="bilinear")],
        None,
        "mask",
        "a mask, .* softmax of `head`.",
    ),
    ([keras.Sequential([layers.Dense(4), layers.Dense(3, "softmax", name="inner")])], None, "classes", "of `inner`."),
]


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize(("ends", "loss", "task", "sentence"), HEADS)
def test_the_task_is_read_from_the_head(
    tmp_path: Path, ends: list[Any], loss: Any, task: str, sentence: str, suffix: str
) -> None:
    ends = [layer.__class__.from_config(layer.get_config()) for layer in ends]
    reference = load_keras(_saved(tmp_path / f"m.{suffix}", ends, loss))
    assert reference.task == task
    assert re.search(sentence, reference.head.sentence(reference.outputs[0]))


def test_a_linear_row_without_a_loss_is_asked_for(tmp_path: Path) -> None:
    path = _saved(tmp_path / "m.keras", [layers.Dense(3, name="head")])
    with pytest.raises(ConfigError, match=r"the 3 outputs of .*linear layer `head`, and no loss.*`--task classes`"):
        load_keras(path)
    assert load_keras(path, task="values").outputs[0].name == "values"
    labelled = load_keras(path, classes=True)
    assert (labelled.task, labelled.head.pending) == ("classes", "softmax")


ROW = keras.Input((4,), name="values")


def _of_row(path: Path, *answers: Any) -> Path:
    keras.Model(ROW, answers[0] if len(answers) == 1 else list(answers)).save(path)
    return path


@pytest.mark.parametrize(
    ("answer", "task", "name"),
    [
        (lambda: keras.ops.softmax(layers.Dense(3)(ROW)), "classes", "probabilities"),
        (lambda: layers.Average()([layers.Dense(3, "softmax")(ROW) for _ in "ab"]), "classes", "probabilities"),
        (lambda: layers.Concatenate()([layers.Dense(1, "sigmoid")(ROW) for _ in "ab"]), "tags", "probabilities"),
        (lambda: keras.ops.normalize(layers.Dense(3)(ROW)), "embedding", "embedding"),
        (lambda: layers.Dense(1)(ROW), "values", "values_1"),
        (lambda: layers.Softmax(axis=1, name="s")(layers.Reshape((2, 2))(ROW)), "any", "s"),
    ],
)
def test_rows_of_numbers_have_tasks_too(tmp_path: Path, answer: Any, task: str, name: str) -> None:
    reference = load_keras(_of_row(tmp_path / "m.keras", answer()))
    assert (reference.task, reference.outputs[0].name, reference.inputs[0].name) == (task, name, "values")


def test_a_softmax_that_is_flattened_is_no_row_of_classes(tmp_path: Path) -> None:
    path = _saved(tmp_path / "m.keras", [layers.Conv2D(2, 1, activation="softmax"), layers.Flatten(name="all")])
    with pytest.raises(ConfigError, match=r"the 72 outputs .* Received: the flatten of `all`"):
        load_keras(path)


def test_a_picture_is_the_image_whatever_comes_out(tmp_path: Path) -> None:
    image = keras.Input((6, 6, 3), name="photo")
    seen = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(image))
    path = tmp_path / "m.keras"
    keras.Model(image, {"kind": layers.Dense(3, "softmax")(seen), "box": layers.Dense(4)(seen)}).save(path)
    reference = load_keras(path)
    assert [(port.name, port.dtype) for port in reference.inputs] == [("image", "uint8")]
    assert {port.name for port in reference.outputs} == {"kind", "box"}
    assert next(reference.head.sentences(reference.outputs)) == "Output: arrays, since there are 2 outputs."
    with pytest.raises(ConfigError, match=r"`task` is of the one output of a model\. Received: classes .* with "):
        load_keras(path, task="classes")


def test_each_of_several_outputs_is_read_by_itself(tmp_path: Path) -> None:
    seen = layers.Dense(4)(ROW)
    outputs = [
        layers.Dense(3, "softmax", name="kind")(seen),
        layers.Dense(2, name="parts")(seen),
        layers.Dense(1, "sigmoid", name="there")(seen),
        layers.Dense(2, name="place")(seen),
        layers.Dense(2, name="else")(seen),
    ]
    network = keras.Model(ROW, outputs)
    logits = losses.BinaryCrossentropy(from_logits=True)
    network.compile(loss=["categorical_crossentropy", logits, "binary_crossentropy", "mse", None])
    network.save(tmp_path / "m.keras")
    reference = load_keras(tmp_path / "m.keras")
    assert list(reference.head.sentences(reference.outputs)) == [
        "Output: arrays, since there are 5 outputs.",
        "Output `kind`: one class of 3, read from the softmax of `kind`.",
        "Output `parts`: 2 tags, read from the loss binary_crossentropy; a runtime does the sigmoid.",
        "Output `there`: yes or no, read from the sigmoid of `there`.",
        "Output `place`: 2 values, read from the loss mean_squared_error.",
        "Output `else`: arrays, since nothing says what they mean.",
    ]
    assert [head.pending for head in reference.head.outputs] == [None, "sigmoid", None, None, None]
    assert load_keras(tmp_path / "m.keras", task="any").head.outputs == ()


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        ({"b": "mse"}, [None, "mean_squared_error"]),
        (["mae", "mse"], ["mean_absolute_error", "mean_squared_error"]),
        ("mse", ["mean_squared_error"] * 2),
        ({"class_name": "BinaryCrossentropy", "config": {}}, ["binary_crossentropy"] * 2),
        (None, [None, None]),
    ],
)
def test_the_loss_of_each_output(loss: Any, names: list[str | None]) -> None:
    assert [found and found.name for found in Loss.of_each(loss, ["a", "b"])] == names


def test_what_is_stated_counts_where_it_fits(tmp_path: Path) -> None:
    path = _saved(tmp_path / "m.keras", [layers.Dense(3, "sigmoid")])
    stated = load_keras(path, task="embedding")
    assert stated.head.sentence(stated.outputs[0]) == "Output: an embedding, as stated."
    with pytest.raises(ConfigError, match=r"`task` must fit .*\(batch, 3\)\. Received: mask\. Choose one of cl"):
        load_keras(path, task="mask")


@pytest.mark.parametrize(
    ("saved", "loss"),
    [
        ("bce", Loss("binary_crossentropy")),
        ({"class_name": "function", "config": "mse"}, Loss("mean_squared_error")),
        ({"class_name": "MeanAbsoluteError", "config": {"name": "x"}}, Loss("mean_absolute_error")),
        (["mse", "mse"], Loss("mean_squared_error")),
        ({"a": "mse", "b": "mae"}, None),
        (None, None),
    ],
)
def test_a_loss_is_read_as_keras_writes_it(saved: Any, loss: Loss | None) -> None:
    assert Loss.of(saved) == loss
