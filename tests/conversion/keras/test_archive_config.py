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
        layer("TimeDistributed", "twice", layer={"config": {}, "class_name": "Lambda", "f": [CODE]}),
    ],
)
def test_code_is_refused_by_the_name_of_its_layer(write: Any, write_h5: Any, lambda_layer: Config) -> None:
    inner = layer("Sequential", "inner", "keras", layers=[lambda_layer])
    for path in (write(sequential(inner)), write_h5(sequential(inner))):
        text = refusal(path, UnsupportedModelError)
        assert "the layer `twice` is a Lambda, whose Python code would run on this machine" in text
        assert "`--unsafe`" in text


def test_a_lambda_in_place_of_a_named_function_is_refused_with_what_to_do(write: Any, write_h5: Any) -> None:
    """Keras 3 saves its code and mostly cannot read it again, Keras 2 saves no more than the word for it."""
    said = "must name its functions. Received: the layer `twice`, whose `activation` is a lambda. Define a function"
    for lambda_ in (CODE, "<lambda>", {"value": ["4wEAAAA=\n", None, None]}):
        model = sequential(layer("Dense", "twice", units=1, activation=lambda_))
        for path in (write(model), write_h5(model)):
            text = refusal(path, UnsupportedModelError)
            assert said in text
            assert ("`--unsafe`" in text) == (lambda_ is CODE)
    assert said in refusal(path, UnsupportedModelError, unsafe=True)


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
    {**layer("FakeQuantize", "gadget", "os"), "registered_name": "other>FakeQuantize"},
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


FUNCTION = {"class_name": "function", "config": "my>Swish2", "module": "builtins", "registered_name": "function"}
SWISH = {
    "my.layers": layer("Swish2", "mine", "my.layers"),
    "your_module:Swish2": layer("Activation", "mine", activation=FUNCTION),
    "my": {**layer("Swish2", "mine", "my.layers"), "registered_name": "my>Swish2"},
    "hub": layer("Swish2", "mine", "hub.src.layers.activations"),
}


@pytest.mark.parametrize(("option", "custom"), SWISH.items())
def test_what_the_user_brings_is_accepted(write: Any, option: str, custom: Config) -> None:
    """Imports Keras: seconds, once."""
    path = write(sequential(custom))
    command = f"`edgeconv export {path} --custom-objects {option}`"
    assert command in refusal(path, UnsupportedModelError)
    check_archive(path, custom_objects=["Swish2"])


def test_all_that_is_missing_is_one_command(write: Any) -> None:
    """Imports Keras: seconds, once."""
    module = ".".join(["hub", "src", *["a_module_of_a_long_name"] * 6])
    needed = (
        layer("First", "one", module),
        layer("Second", "two", module),
        layer("First", "three", module),
        {**layer("Third", "four", None), "registered_name": "my>Third"},
        layer("Fourth", "five", "my.layers"),
        layer("Dance", "six"),
    )
    text = refusal(write(sequential(*needed[:5])), UnsupportedModelError)
    assert (
        f"Received: the layer `one` needs the class `{module}.First`, the layer `two` the class `{module}.Second`, "
        "the layer `four` the class `my>Third`, the layer `five` the class `my.layers.Fourth`. If these are" in text
    )
    options = "--custom-objects hub --custom-objects your_module:Third --custom-objects my.layers"
    assert f"m.keras {options}`, where your_module.py defines it; if of another version" in text
    assert "the layer `six` the class `keras.layers.Dance`" in refusal(
        write(sequential(*needed)), UnsupportedModelError
    )


@pytest.mark.parametrize("brought", [(), ("QDense",)])
def test_bit_widths_by_element_are_refused_with_what_to_do(write: Any, brought: tuple[str, ...]) -> None:
    of_hgq = {**layer("QDense", "first", "hgq.layers.core.dense"), "registered_name": "hgq>QDense"}
    text = refusal(write(sequential(of_hgq)), UnsupportedModelError, custom_objects=brought)
    assert "the layer `first`, a `QDense` of HGQ2, where each element has bits of its own." in text


@pytest.mark.parametrize("name", ["x; rm -rf ~", "$(id)", "`id`", "A" * 100_000])
def test_a_command_to_paste_has_nothing_but_names_of_python(write: Any, name: str) -> None:
    """Imports Keras: seconds, once."""
    function = {"class_name": "function", "config": name, "module": "builtins"}
    for custom in (
        layer("Odd", "odd", name),
        layer(name, "odd", None),
        layer("Activation", "odd", activation=function),
    ):
        text = refusal(write(sequential(custom)), UnsupportedModelError)
        assert "library, name their modules with `--custom-objects module`; if of another" in text
        assert len(text) < 1000


def test_classes_without_end_are_counted(write: Any) -> None:
    """Imports Keras: seconds, once."""
    needed = [layer(f"Class{number}", f"layer{number}", "my.layers") for number in range(120)]
    text = refusal(write(sequential(*needed)), UnsupportedModelError)
    assert "the layer `layer49` the class `my.layers.Class49`, and 70 more. If these are" in text
    assert "--custom-objects my.layers`;" in text


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("PruneLowMagnitude", "Save `tfmot.sparsity.keras.strip_pruning(model)` instead."),
        ("ClusterWeights", "Save `tfmot.clustering.keras.strip_clustering(model)` instead."),
        (
            "QuantizeWrapperV2",
            "Save what `quantize_model` makes with its 8-bit scheme as `.h5`, whose ranges int8 takes; or the model "
            "without it, and let `--quantize` find them; in Keras 3, `edgeconv.fake_quantize` trains it for that.",
        ),
    ],
)
def test_wrappers_of_a_training_are_taken_off_where_it_was(write: Any, write_h5: Any, name: str, remedy: str) -> None:
    """Imports Keras: seconds, once."""
    inner = layer("Dense", "dense", units=2)
    wrapper = layer(name, "wrapper", "tensorflow_model_optimization.python.core.keras.wrapper", layer=inner)
    without = {"class_name": "Sequential", "config": {"layers": [{**wrapper, "module": None}]}}
    for path in (write(sequential(wrapper)), write_h5(without)):
        text = refusal(path, UnsupportedModelError)
        assert f"Received: the layer `wrapper`, a {name} of TensorFlow Model Optimization. {remedy}" in text
