"""Configs of Keras 2, in the words of Keras 3."""

from __future__ import annotations

from typing import Any

import pytest

from edgeconv.conversion.keras.legacy.options import HARD_SIGMOID
from edgeconv.conversion.keras.legacy.translation import FUNCTION_LAYER, translate
from edgeconv.conversion.keras.legacy.untranslatable import Untranslatable

Config = dict[str, Any]


def layer(kind: str, name: str, *nodes: Any, **config: Any) -> Config:
    entry = {"class_name": kind, "config": {"name": name, **config}}
    return {**entry, "name": name, "inbound_nodes": list(nodes)} if nodes or kind == "InputLayer" else entry


def translated(kind: str, **config: Any) -> Config:
    options: Config = translate(layer(kind, "it", **config))["config"]
    return options


def functional(*layers: Config, output: list[Any]) -> Config:
    first = layer("InputLayer", "x", batch_input_shape=[None, 4], dtype="float32", sparse=False, ragged=False)
    config = {"name": "net", "trainable": True, "layers": [first, *layers]}
    made: Config = translate(
        {"class_name": "Functional", "config": {**config, "input_layers": [["x", 0, 0]], "output_layers": [output]}}
    )
    return made


@pytest.mark.parametrize(
    ("kind", "option", "neutral", "other"),
    [
        ("LSTM", "time_major", False, True),
        ("BatchNormalization", "renorm", False, True),
        ("InputLayer", "ragged", False, True),
    ],
)
def test_neutral_options_are_dropped_and_others_refused(kind: str, option: str, neutral: Any, other: Any) -> None:
    shape = {"batch_input_shape": [None, 3], "axis": -1}
    assert option not in translated(kind, **shape, **{option: neutral})
    with pytest.raises(Untranslatable, match=f"the layer `it` has the option `{option}={other}`"):
        translated(kind, **shape, **{option: other})


@pytest.mark.parametrize(
    "option", ["implementation", "noise_shape", "rng_type", "batch_input_shape", "kernel_initializer"]
)
def test_options_without_effect_are_dropped(option: str) -> None:
    assert translated("Dense", units=3, **{option: 1}) == {"name": "it", "units": 3}


def test_groups_are_kept_where_keras_3_has_them() -> None:
    assert "groups" not in translated("DepthwiseConv2D", groups=1)
    assert translated("DepthwiseConv2D", groups=2)["groups"] == 2  # Keras 3 refuses it.
    assert translated("Conv2D", groups=2)["groups"] == 2


def test_one_axis_of_a_batch_normalization_leaves_its_list() -> None:
    assert translated("BatchNormalization", axis=[3])["axis"] == 3
    with pytest.raises(Untranslatable, match=r"the option `axis=\[1, 2\]`"):
        translated("BatchNormalization", axis=[1, 2])


def test_a_thresholded_relu_is_a_relu() -> None:
    made = translate(layer("ThresholdedReLU", "it", theta=0.7))
    assert (made["class_name"], made["config"]) == ("ReLU", {"name": "it", "threshold": 0.7})


def test_the_hard_sigmoid_is_that_of_keras_2() -> None:
    named = {"module": "builtins", "class_name": "function", "config": "hard_sigmoid", "registered_name": "function"}
    assert translated("LSTM", recurrent_activation="hard_sigmoid")["recurrent_activation"] == HARD_SIGMOID
    assert translated("Dense", activation=named)["activation"] == HARD_SIGMOID


def test_policies_are_named() -> None:
    policy = {"module": "keras.mixed_precision", "class_name": "Policy", "config": {"name": "mixed_float16"}}
    assert translated("Dense", dtype=policy)["dtype"] == "mixed_float16"


def test_an_old_gru_resets_before() -> None:
    assert translated("GRU", units=2)["reset_after"] is False
    assert translated("GRU", units=2, reset_after=True)["reset_after"] is True


def test_layers_inside_layers_are_translated() -> None:
    inner = layer("DepthwiseConv2D", "inner/conv", groups=1)
    assert translated("TimeDistributed", layer=inner)["layer"]["config"] == {"name": "inner_conv"}


def test_a_sequential_of_keras_2_2_is_a_list_and_gets_its_input() -> None:
    made = translate(
        {"class_name": "Sequential", "config": [layer("Dense", "d", units=2, batch_input_shape=[None, 4])]}
    )
    assert [part["class_name"] for part in made["config"]["layers"]] == ["InputLayer", "Dense"]
    assert made["config"]["layers"][0]["config"]["batch_shape"] == [None, 4]


def test_names_lose_their_slash_wherever_they_stand() -> None:
    made = functional(layer("Dense", "block/d", [["x", 0, 0, {}]], units=2), output=["block/d", 0, 0])["config"]
    assert made["layers"][1]["name"] == made["layers"][1]["config"]["name"] == "block_d"
    assert made["output_layers"] == ["block_d", 0, 0]


def test_names_that_differ_in_a_slash_alone_are_not_confused() -> None:
    first, second = layer("ReLU", "a/b", [["x", 0, 0, {}]]), layer("ReLU", "a_b", [["a/b", 0, 0, {}]])
    with pytest.raises(Untranslatable, match="two layers whose names differ in a slash"):
        functional(first, second, output=["a_b", 0, 0])


def test_nodes_of_nested_models_are_counted_from_0() -> None:
    """Keras 2 leaves the number 0 to the call with which a nested model was made."""
    nested = layer("Sequential", "inner", [["x", 0, 0, {}]], layers=[])
    made = functional(nested, layer("ReLU", "r", [["inner", 1, 0, {}]]), output=["r", 0, 0])["config"]
    assert made["layers"][2]["inbound_nodes"] == [[["inner", 0, 0, {}]]]


def test_a_function_keeps_its_arguments_and_takes_its_tensors_as_inputs() -> None:
    add = layer("TFOpLambda", "tf.math.add", ["x", 0, 0, {"y": ["r", 0, 0], "name": None}], function="math.add")
    made = functional(layer("ReLU", "r", [["x", 0, 0, {}]]), add, output=["tf.math.add", 0, 0])["config"]["layers"][2]
    assert made["class_name"] == FUNCTION_LAYER
    assert made["config"]["first"] == {"tensor": 0}
    assert made["config"]["keywords"] == {"y": {"tensor": 1}}
    assert made["inbound_nodes"] == [[["x", 0, 0, {}], ["r", 0, 0, {}]]]


def test_a_constant_may_stand_in_the_first_place() -> None:
    node = ["_CONSTANT_VALUE", -1, 1.0, {"y": ["x", 0, 0]}]
    made = functional(layer("TFOpLambda", "s", node, function="math.subtract"), output=["s", 0, 0])["config"]["layers"][
        1
    ]
    assert (made["config"]["first"], made["config"]["keywords"]) == (1.0, {"y": {"tensor": 0}})


@pytest.mark.parametrize("kind", ["Lambda", "RandomCrop", "LocallyConnected2D", "TensorFlowOpLayer"])
def test_what_keras_3_lacks_is_named(kind: str) -> None:
    with pytest.raises(Untranslatable, match=f"the layer `it` has the class `{kind}`"):
        translated(kind)


def test_classes_of_the_user_are_left_alone() -> None:
    made = translate({"class_name": "mine>Scale", "config": {"name": "s", "groups": 1}}, custom_objects=["Scale"])
    assert made == {
        "module": None,
        "class_name": "Scale",
        "config": {"name": "s", "groups": 1},
        "registered_name": "mine>Scale",
    }
