"""What a loaded model takes and gives, and whether what it cannot take is said with the name of its layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion.keras import load_keras  # noqa: E402
from edgeconv.errors import ArtifactError, UnsupportedModelError  # noqa: E402

layers = keras.layers


def _loaded(model: Any, folder: Path) -> Any:
    path = folder / "model.keras"
    model.save(path)
    return load_keras(path)


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (lambda: layers.StringLookup(vocabulary=["ant"], name="odd"), r"layer `odd` \(StringLookup\) reads. Look the"),
        (lambda: layers.Hashing(5, name="odd"), r"layer `odd` \(Hashing\) reads. Hash before the model"),
    ],
    ids=["lookup", "hashing"],
)
@pytest.mark.parametrize("form", ["functional", "sequential"])
def test_the_layer_that_reads_strings_is_named(layer: Any, says: str, form: str, tmp_path: Path) -> None:
    text = keras.Input((1,), dtype="string", name="text")
    made = layer()
    model = keras.Sequential([text, made]) if form == "sequential" else keras.Model(text, made(text))
    with pytest.raises(UnsupportedModelError, match=rf"the input `text` of string, which the {says}"):
        _loaded(model, tmp_path)


def test_outputs_have_the_types_that_layers_return(tmp_path: Path) -> None:
    keys = keras.Input((4,), dtype="int32")
    twice = layers.Add(name="twice")([keys, keys])
    answers = [
        layers.Add(name="thrice")([twice, keys]),
        layers.Average(name="mean")([twice, keys]),
        layers.Embedding(9, 2, name="vectors")(keys),
    ]
    assert str(answers[0].dtype) == "float32", "Keras declares what is returned: the question can go"
    ports = _loaded(keras.Model(keys, answers), tmp_path).outputs
    assert [(port.name, port.dtype) for port in ports] == [
        ("thrice", "int32"),
        ("mean", "float64"),
        ("vectors", "float32"),
    ]


def test_the_layer_that_keras_cannot_load_is_named(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.RandomShear(0.1, 0.1, name="shear")])
    with pytest.raises(
        ArtifactError, match=r"in layer `shear` \(RandomShear\): ValueError: The `factor` .*Replace that"
    ):
        _loaded(model, tmp_path)
