"""Wrappers of quantization-aware training, taken out of a config without TensorFlow or Keras."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeconv.conversion.keras.archive.quantize_wrappers import without_wrappers

Config = dict[str, Any]


def _text(*layers: Config) -> str:
    return json.dumps({"class_name": "Sequential", "config": {"name": "net", "layers": list(layers)}})


def _input(bits: int = 8) -> Config:
    quantizer = {"num_bits": bits, "per_axis": False, "symmetric": False, "narrow_range": False}
    config = {"name": "quantize_layer", "quantizer": {"class_name": "AllValuesQuantizer", "config": quantizer}}
    return {"class_name": "QuantizeLayer", "config": config}


def _wrapper(activation: Any, scheme: str = "Default8BitConvQuantizeConfig", name: str = "quant_conv") -> Config:
    aware = {"class_name": "QuantizeAwareActivation", "config": {"activation": activation}}
    inner = {"class_name": "Conv2D", "config": {"name": "conv", "filters": 4, "activation": aware}}
    quantize = {"class_name": scheme, "config": {"weight_attrs": ["kernel"]}}
    return {"class_name": "QuantizeWrapperV2", "config": {"name": name, "layer": inner, "quantize_config": quantize}}


@pytest.mark.parametrize(
    ("activation", "left"),
    [("relu", "relu"), ({"class_name": "NoOpActivation", "config": {}}, "linear")],
)
def test_a_layer_comes_out_of_its_wrapper_with_its_name(activation: Any, left: str) -> None:
    text, wrapped = without_wrappers(_text(_input(), _wrapper(activation)))
    given, conv = json.loads(text)["config"]["layers"]
    assert given == {"class_name": "Activation", "config": {"name": "quantize_layer", "activation": "linear"}}
    assert conv == {"class_name": "Conv2D", "config": {"name": "quant_conv", "filters": 4, "activation": left}}
    assert wrapped == {"quantize_layer": False, "quant_conv": True}


@pytest.mark.parametrize("scheme", ["my>Own4BitQuantizeConfig", "Default8BitQuantizeConfig.__init__"])
def test_wrappers_of_another_scheme_stay(scheme: str) -> None:
    text, wrapped = without_wrappers(_text(_input(), _wrapper("relu", scheme)))
    assert json.loads(text)["config"]["layers"][1]["class_name"] == "QuantizeWrapperV2"
    assert "quant_conv" not in wrapped
    four_bits, _ = without_wrappers(_text(_input(4)))
    assert json.loads(four_bits)["config"]["layers"][0]["class_name"] == "QuantizeLayer"


@pytest.mark.parametrize(
    "text",
    ['{"QuantizeLayer": ', "[]", '"QuantizeLayer"', _text({"class_name": "QuantizeLayer"}), _text({"class_name": "X"})],
)
def test_what_is_no_such_config_is_left_as_it_is(text: str) -> None:
    assert without_wrappers(text) == (text, {})
    assert without_wrappers(text.encode()) == (text.encode(), {})
