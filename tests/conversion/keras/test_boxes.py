"""Which outputs of a detector hold what is read from shapes and layers, stated, or asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.boxes import BoxStatement  # noqa: E402
from edgeconv.conversion.keras.boxes.layout import BoxLayout, Columns  # noqa: E402
from edgeconv.conversion.keras.boxes.reading import read_box_head  # noqa: E402
from edgeconv.conversion.keras.interface import interface_of  # noqa: E402
from edgeconv.errors import ConfigError  # noqa: E402

layers = keras.layers
PATH = Path("m.keras")


def _detector(**widths: Any) -> Any:
    """Return a detector of nine boxes; each output has so many columns, 0 for one number a box, and an activation."""
    image = keras.Input((6, 6, 1))
    maps = layers.Conv2D(4, 3, strides=2, padding="same")(image)
    outputs = {}
    for name, said in widths.items():
        width, activation = said if isinstance(said, tuple) else (said, None)
        made = layers.Conv2D(max(1, width), 1, activation=activation, name=f"{name}_conv")(maps)
        outputs[name] = layers.Reshape((9, width) if width else (9,), name=name)(made)
    return keras.Model(image, outputs)


def _read(model: Any, said: str, labels: int | None = None) -> BoxLayout:
    _, _, layout = read_box_head(PATH, interface_of(PATH, model, None), BoxStatement.parse(said), labels)
    return layout


def _asked(model: Any, said: str, problem: str, labels: int | None = None) -> None:
    with pytest.raises(ConfigError, match=problem):
        _read(model, said, labels)


def test_shapes_and_layers_tell_what_is_where() -> None:
    model = _detector(reg=4, cls=(3, "sigmoid"))
    interface, head, layout = read_box_head(PATH, interface_of(PATH, model, None), BoxStatement(format="xyxy"), None)
    assert (layout.boxes, layout.scores) == (Columns("own_reg"), Columns("own_cls"))
    assert (layout.pending, layout.background, layout.count, layout.rows, layout.axis) == (None, None, 3, 9, 2)
    assert [port.name for port in interface.outputs] == ["own_reg", "own_cls"]
    assert (interface.inputs[0].name, head.task) == ("image", "boxes")
    assert "`reg`" in head.reason
    assert "3 classes" in head.reason


def test_what_nobody_says_is_asked_for() -> None:
    model = _detector(reg=4, cls=(3, "sigmoid"))
    _asked(
        model, "", r"Cannot tell the format of the boxes of `m\.keras`.*`reg` \(batch, 9, 4\).*`--boxes format=xyxy`"
    )
    four = _detector(reg=4, cls=(4, "sigmoid"))
    _asked(four, "format=xyxy", r"which output holds the boxes.*`--boxes boxes=reg`")
    assert _read(four, "format=xyxy,scores=1").boxes == Columns("own_reg")
    two = _detector(reg=4, cls=(3, "sigmoid"), more=(2, "sigmoid"))
    _asked(two, "format=xyxy", r"which output holds the scores.*`--boxes scores=more`")
    assert _read(two, "format=xyxy,scores=cls").count == 3
    linear = _detector(reg=4, cls=3)
    _asked(linear, "format=xyxy", r"whether the scores are probabilities.*activation=sigmoid")
    assert _read(linear, "format=xyxy,activation=sigmoid").pending == "sigmoid"
    assert _read(linear, "format=xyxy,activation=none").pending is None


def test_a_softmax_has_a_background_or_not() -> None:
    model = _detector(reg=4, cls=(3, "softmax"))
    _asked(model, "format=xyxy", r"which score behind the softmax is the background's.*background=first")
    first = _read(model, "format=xyxy,background=first")
    assert (first.background, first.count, first.pending) == ("first", 2, None)
    assert _read(model, "format=xyxy,background=none").count == 3
    assert _read(model, "format=xyxy", labels=3).count == 3
    assert _read(_detector(reg=4, cls=3), "format=xyxy,activation=softmax,background=last").pending == "softmax"


def test_one_output_may_hold_all() -> None:
    model = _detector(all=(8, "sigmoid"))
    _asked(model, "format=xyxy", r"what the 8 columns of `all` hold.*columns=box-scores")
    scores = _read(model, "format=xyxy", labels=4)
    assert (scores.boxes, scores.scores) == (Columns("own_all", 0, 4), Columns("own_all", 4, 8))
    both = _read(model, "format=xyxy", labels=3)
    assert (both.objectness, both.scores) == (Columns("own_all", 4, 5), Columns("own_all", 5, 8))
    assert _read(model, "format=xyxy,columns=box-scores").count == 4
    _asked(model, "format=xyxy,columns=box-score-class", r"Received: columns=box-score-class of `all`, which has 8")
    six = _detector(all=(6, "sigmoid"))
    _asked(six, "format=xyxy", r"what the 6 columns", labels=2)
    classes = _read(six, "format=xyxy,columns=box-score-class", labels=5)
    assert (classes.scores, classes.classes, classes.count) == (Columns("own_all", 4, 5), Columns("own_all", 5, 6), 5)


def test_boxes_may_be_columns() -> None:
    image = keras.Input((6, 6, 1))
    maps = layers.Reshape((100, 7))(layers.Dense(700, "sigmoid")(layers.Flatten()(image)))
    model = keras.Model(image, layers.Permute((2, 1), name="all")(maps))
    _asked(model, "format=xyxy", "whether each box is a row or a column")
    said = "format=xyxy,activation=none"
    assert (_read(model, said, labels=3).axis, _read(model, said, labels=3).rows) == (1, 100)
    assert _read(model, said + ",columns=box-scores,axis=1").count == 3


def test_a_class_a_box_needs_the_names_of_the_classes() -> None:
    model = _detector(reg=4, score=(0, "sigmoid"), label=0)
    _asked(model, "format=xyxy", "which output holds the scores")
    _asked(model, "format=xyxy,scores=score", "which output holds the classes.*`--boxes scores=score,classes=label`")
    said = "format=xyxy,scores=score,classes=label"
    _asked(model, said, r"`classes` of `m\.keras` are numbers.*`--labels`")
    layout = _read(model, said, labels=7)
    assert (layout.classes, layout.count) == (Columns("own_label"), 7)
    assert _read(_detector(reg=4, score=(0, "sigmoid")), "format=xyxy").count == 1


def test_the_activation_is_found_before_joints() -> None:
    image = keras.Input((6, 6, 1))
    boxes, scores = layers.Dense(4)(layers.Reshape((36, 1))(image)), layers.Dense(3, "sigmoid")
    joined = layers.Concatenate()([boxes, scores(layers.Reshape((36, 1))(image))])
    assert _read(keras.Model(image, joined), "format=xyxy,columns=box-scores").pending is None
    halves = [scores(layers.Reshape((36, 1))(image)), layers.Dense(3, "softmax")(layers.Reshape((36, 1))(image))]
    mixed = keras.Model(image, {"reg": boxes, "cls": layers.Concatenate(axis=1)(halves)})
    _asked(mixed, "format=xyxy,scores=cls", "another number of boxes than reg")


@pytest.mark.parametrize(("activation", "known"), [("sigmoid", True), ("softmax", False)])
def test_scores_of_several_anchors_lie_in_one_map(activation: str, known: bool) -> None:
    """A softmax over the six channels of two anchors is none over the three scores of each; a sigmoid is one."""
    image = keras.Input((6, 6, 1))
    boxes = layers.Reshape((72, 4), name="reg")(layers.Conv2D(8, 1)(image))
    scores = layers.Reshape((72, 3), name="cls")(layers.Conv2D(6, 1, activation=activation)(image))
    model = keras.Model(image, {"reg": boxes, "cls": scores})
    if known:
        assert _read(model, "format=xyxy").pending is None
    else:
        _asked(model, "format=xyxy,background=none", "whether the scores are probabilities")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("format=xyxy,scores=nope", r"`boxes` must name outputs of `m\.keras`, `reg` .*Received: scores=nope"),
        ("format=xyxy,scores=7", r"Received: scores=7\. Name one of these, or its place from 0 to 1"),
        ("format=xyxy,boxes=cls,columns=box-scores", r"Received: columns=box-scores of `cls`, which has 3"),
    ],
)
def test_what_is_not_there_is_refused(said: str, problem: str) -> None:
    _asked(_detector(reg=4, cls=(3, "sigmoid")), said, problem)


def test_a_detector_takes_one_picture() -> None:
    model = keras.Model(sound := keras.Input((40,)), layers.Dense(4)(sound))
    _asked(model, "format=xyxy", r"requires a model that takes one picture.*Leave `--task boxes` out")
