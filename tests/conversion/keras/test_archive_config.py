"""Whose code the config of a model would call is known before any of it is called."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.train
h5py = pytest.importorskip("h5py", reason="Keras files need the extra `train`")

from edgeconv.conversion.keras.archive import check_archive  # noqa: E402
from edgeconv.errors import ArtifactError, UnsupportedModelError  # noqa: E402
from tests.conversion.keras.archives import Config, layer, refusal, sequential  # noqa: E402


@pytest.mark.parametrize("text", ["{", "[]", '"model"', "{}", '{"class_name": "Sequential"}', "[" * 100_000])
def test_a_config_of_no_model_is_refused(write: Any, write_h5: Any, text: str) -> None:
    for path in (write(text), write_h5(text)):
        assert "must hold the config of a Keras model, JSON" in refusal(path, ArtifactError)


CODE = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}


@pytest.mark.parametrize(
    "lambda_layer",
    [
        layer("Lambda", "twice", function=CODE),
        layer("Lambda", "twice", output_shape=CODE, function={**layer("function", ""), "config": "relu"}),
        layer("Lambda", "twice", function=["4wEAAAA=", None, None]),
        layer("Dense", "twice", units=1, kernel_initializer=CODE),
        layer("TimeDistributed", "twice", layer={"config": {}, "class_name": "Lambda", "f": [CODE]}),
    ],
)
def test_code_is_refused_by_the_name_of_its_layer(write: Any, write_h5: Any, lambda_layer: Config) -> None:
    inner = layer("Sequential", "inner", "keras", layers=[lambda_layer])
    for path in (write(sequential(inner)), write_h5(sequential(inner))):
        text = refusal(path, UnsupportedModelError)
        assert "the layer `twice` is a Lambda, whose Python code would run on this machine" in text
        assert "`--unsafe`" in text


def test_code_passes_where_the_user_trusts_it(write: Any) -> None:
    """Imports Keras: seconds, once."""
    check_archive(write(sequential(layer("Lambda", "twice", function=CODE))), unsafe=True)


@pytest.mark.parametrize("name", ["TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"])
def test_wrapped_models_are_refused(write: Any, name: str) -> None:
    text = refusal(write(sequential(layer(name, "wrapped", filepath="/srv/model"))), UnsupportedModelError)
    assert f"the layer `wrapped`, a {name}, which " in text


def test_a_vocabulary_in_another_file_is_refused(write: Any) -> None:
    model = sequential(layer("StringLookup", "look", vocabulary="/etc/passwd"))
    assert "the layer `look` reads the file `/etc/passwd`" in refusal(write(model), UnsupportedModelError)


GADGETS = [
    layer("system", "gadget", "os"),
    layer("Popen", "gadget", "subprocess"),
    layer("get_file", "gadget", "keras.utils"),
    layer("load_model", "gadget", "keras.models"),
    layer("deserialize_keras_object", "gadget", "keras.saving"),
    layer("Dense", "gadget", "keras.layers;os"),
    layer("Activation", "gadget", activation={"class_name": "function", "config": "system", "module": "os"}),
    layer("Activation", "gadget", activation={"class_name": "function", "config": "get_file", "module": "keras.utils"}),
    layer("Activation", "gadget", activation={"class_name": "function", "config": "eval", "module": "builtins"}),
    layer("Mine", "gadget", None),
    layer("Dance", "gadget"),
]


@pytest.mark.parametrize("gadget", GADGETS, ids=lambda gadget: f"{gadget['module']}-{gadget['class_name']}")
def test_what_is_not_keras_is_refused_by_the_name_of_its_layer(write: Any, gadget: Config) -> None:
    """Imports Keras: seconds, once."""
    text = refusal(write(sequential(gadget)), UnsupportedModelError)
    assert "Received: the layer `gadget` needs the " in text


def test_a_class_of_no_module_in_h5_is_looked_for(write_h5: Any) -> None:
    """Imports Keras: seconds, once."""
    model = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dance", "config": {"name": "odd"}}]}}
    assert "the layer `odd` needs the class `Dance`" in refusal(write_h5(model), UnsupportedModelError)


@pytest.mark.parametrize(
    "custom",
    [
        layer("Swish2", "mine", "my.layers"),
        {**layer("Swish2", "mine", None), "registered_name": "my>Swish2"},
        layer("Activation", "mine", activation={"class_name": "function", "config": "my>Swish2", "module": "builtins"}),
    ],
)
def test_what_the_user_brings_is_accepted(write: Any, custom: Config) -> None:
    """Imports Keras: seconds, once."""
    path = write(sequential(custom))
    assert "name it with `--custom-objects module:Swish2`" in refusal(path, UnsupportedModelError)
    check_archive(path, custom_objects=["Swish2"])
