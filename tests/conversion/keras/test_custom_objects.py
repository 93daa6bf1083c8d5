"""What Keras lacks comes from the user's path, and code from nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")
tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")

from edgeconv.conversion.keras import load_keras  # noqa: E402
from edgeconv.errors import ArtifactError, ConfigError, UnsupportedModelError  # noqa: E402
from tests.conversion.keras.converting import converted, layers, reloaded  # noqa: E402


@keras.saving.register_keras_serializable("tests")
class Scaled(layers.Layer):  # type: ignore[misc]
    """A custom layer."""

    def call(self, x: Any) -> Any:
        return 3.0 * x


def test_custom_layers_come_from_the_users_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bespoke_layers.py").write_text(
        "import keras\n\nclass Doubled(keras.layers.Layer):\n    def call(self, x):\n        return 2 * x\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import bespoke_layers

    model = keras.Sequential([keras.Input((4,)), bespoke_layers.Doubled(), layers.Dense(3)])
    with pytest.raises(UnsupportedModelError, match=r"--custom-objects bespoke_layers`"):
        reloaded(model, tmp_path)
    for option in ("bespoke_layers:Doubled", "bespoke_layers"):
        converted(model, tmp_path, custom_objects=(option,))


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
        reloaded(keras.Sequential([keras.Input((4,)), layers.Dense(3)]), tmp_path, custom_objects=(name,))


def test_a_registered_layer_needs_no_import(tmp_path: Path) -> None:
    converted(
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
        reloaded(first, tmp_path)
    second = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation=acts.doubled)])
    second.set_weights(first.get_weights())
    converted(second, tmp_path, custom_objects=("acts",))


def test_a_lambda_is_refused_until_it_is_trusted(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2, name="twice"), layers.Dense(3)])
    with pytest.raises(UnsupportedModelError, match=r"twice.*--unsafe"):
        reloaded(model, tmp_path)
    converted(model, tmp_path, unsafe=True)


def test_a_lambda_finds_tensorflow_and_what_is_brought_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "constants_of_mine.py").write_text("OFFSET = 0.5\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    source = "lambda x: tf.nn.leaky_relu(x) + OFFSET + np.float32(K.epsilon())"
    function = eval(source, {"tf": tf, "np": np, "K": tf.keras.backend, "OFFSET": 0.5})
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(function), layers.Dense(3)])
    with pytest.raises(
        ArtifactError, match=r"loads\. Received: NameError: name 'OFFSET'.*--custom-objects MODULE:OFFSET"
    ):
        reloaded(model, tmp_path, unsafe=True)
    converted(model, tmp_path, unsafe=True, custom_objects=("constants_of_mine:OFFSET",))
