from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeconv.errors import ManifestError, SchemaVersionError
from edgeconv.manifest import SCHEMA_VERSION, Manifest

FROZEN = Path(__file__).parents[1] / "data" / "manifest-v1.json"
"""A manifest of schema version 1, as it was written then. Never change it: old artifacts stay loadable."""


@pytest.fixture
def value() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FROZEN.read_text())
    return loaded


def test_version_1_stays_loadable(value: dict[str, Any]) -> None:
    manifest = Manifest.from_dict(value)
    assert manifest.name == "tiny"
    assert manifest.labels == ("red", "green", "blue")
    assert (manifest.input.name, manifest.input.dtype, manifest.input.shape) == ("image", "uint8", ("batch", 12, 12, 3))
    assert (manifest.input.value_range, manifest.input.kind) == ((0.0, 255.0), "pixels")
    assert (manifest.output.name, manifest.output.shape) == ("probabilities", ("batch", 3))
    assert manifest.preprocess is not None
    assert (manifest.preprocess.kind, manifest.preprocess.height, manifest.preprocess.channels) == ("resize", 12, 3)
    assert set(manifest.variants) == {"fp32", "int8"}
    assert manifest.variants["int8"].file == "model.int8.onnx"
    assert manifest.variants["int8"].quantization["activation_type"] == "QUInt8"
    assert manifest.metrics["accuracy"]["keras"] == 1.0


def test_it_comes_back_as_it_went(value: dict[str, Any]) -> None:
    assert Manifest.from_dict(value).as_dict() == value
    assert value["schema_version"] == SCHEMA_VERSION


def test_the_stamp_leaves_out_what_the_file_cannot_know_of_itself(value: dict[str, Any]) -> None:
    manifest = Manifest.from_dict(value)
    assert manifest.variants["fp32"].sha256 is not None
    stamped = Manifest.from_json(manifest.as_stamp())
    assert stamped.variants["fp32"].sha256 is None
    assert stamped.variants["fp32"].size_bytes is None
    assert stamped.labels == manifest.labels
    assert manifest.as_stamp() == Manifest.from_dict(copy.deepcopy(value)).as_stamp()


def test_keys_that_are_not_known_yet_are_ignored(value: dict[str, Any]) -> None:
    assert Manifest.from_dict({**value, "colour": "blue"}) == Manifest.from_dict(value)


def test_a_newer_version_is_refused_with_the_version_that_is_needed(value: dict[str, Any]) -> None:
    with pytest.raises(SchemaVersionError, match=f"reads schema version {SCHEMA_VERSION + 1}.*pip install -U edgeconv"):
        Manifest.from_dict({**value, "schema_version": SCHEMA_VERSION + 1})


@pytest.mark.parametrize("version", [0, -1, "1", None, True])
def test_a_version_that_is_none(value: dict[str, Any], version: object) -> None:
    with pytest.raises(ManifestError, match="must be an edgeconv manifest with a schema_version"):
        Manifest.from_dict({**value, "schema_version": version})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda value: value.pop("labels"), "must have the key 'labels'"),
        (lambda value: value["input"].pop("dtype"), "must have the key 'dtype'"),
        (lambda value: value.update(input=3), "must follow schema version 1"),
        (lambda value: value.update(variants=[]), "must follow schema version 1"),
        (lambda value: value["preprocess"].update(kind="magic"), "kind"),
        (lambda value: value.update(format="other"), "must be an edgeconv manifest"),
    ],
)
def test_damage_is_named(value: dict[str, Any], damage: Callable[[dict[str, Any]], object], message: str) -> None:
    damage(value)
    with pytest.raises(ManifestError, match=message):
        Manifest.from_dict(value, "manifest.json")


@pytest.mark.parametrize("text", ["{", "[]", "null"])
def test_text_that_is_no_object(text: str) -> None:
    with pytest.raises(ManifestError, match="must be"):
        Manifest.from_json(text)
