from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edgeconv.errors import ArtifactError, ManifestError, SchemaVersionError
from edgeconv.manifest import METADATA_KEY, SCHEMA_VERSION, Manifest
from edgeconv.manifest_blocks import Metrics, Parity, Provenance, TrainingProvenance
from edgeconv.runtime.metadata import read_metadata
from tests.manifests import COMMITTED, ROOT, frozen, places


@pytest.fixture
def value() -> dict[str, Any]:
    return frozen()


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
    quantization, calibration = manifest.variants["int8"].quantization, manifest.variants["int8"].calibration
    assert quantization is not None
    assert (quantization.activation_type, quantization.per_channel, quantization.target) == ("QUInt8", True, None)
    assert calibration is not None
    assert (calibration.dataset, calibration.size) == ("patches", 600)
    assert manifest.variants["fp32"].quantization is None
    assert [node.operator for node in manifest.variants["int8"].float_nodes] == ["Mul", "Add", "Transpose", "Softmax"]
    assert isinstance(manifest.metrics, Metrics)
    assert manifest.metrics.accuracy["keras"] == 1.0
    assert isinstance(manifest.parity, Parity)
    assert [gate.limit for gate in manifest.parity.gates] == [0, 0.0001, 0.2]
    assert isinstance(manifest.provenance, Provenance)
    assert (manifest.provenance.training, manifest.provenance.parameters) == (None, 659)


@pytest.mark.parametrize("folder", ["exported/mnist-reference", "tests/data/tiny"])
def test_the_stamps_of_committed_models_are_written_to_the_byte_as_they_were_read(folder: str) -> None:
    models = sorted((ROOT / folder).glob("*.onnx"))
    assert len(models) == 3
    for model in models:
        text = read_metadata(model.read_bytes())[METADATA_KEY]
        assert Manifest.from_json(text).as_metadata() == text


@pytest.mark.parametrize("path", COMMITTED.values(), ids=COMMITTED)
def test_it_is_written_to_the_byte_as_it_was_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    manifest = Manifest.from_json(text)
    assert json.dumps(manifest.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n" == text
    assert Manifest.from_json(manifest.as_metadata()).as_metadata() == manifest.as_metadata()


def test_it_says_where_its_model_comes_from() -> None:
    provenance = Manifest.from_json(COMMITTED["reference"].read_text()).provenance
    assert provenance is not None
    data = "0ca25098011d851a9c1e34617f769a224ad1d0376acfbdabfc4476287a2eaa85"
    assert provenance.training == TrainingProvenance("mnist", data, 0, "onecycle", 5)


def test_the_stamp_leaves_out_what_the_file_cannot_know_of_itself(value: dict[str, Any]) -> None:
    manifest = Manifest.from_dict(value)
    assert manifest.variants["fp32"].sha256 is not None
    stamped = Manifest.from_json(manifest.as_metadata())
    assert stamped.variants["fp32"].sha256 is None
    assert stamped.variants["fp32"].size_bytes is None
    assert stamped.labels == manifest.labels
    assert manifest.as_metadata() == Manifest.from_dict(copy.deepcopy(value)).as_metadata()


def test_keys_that_are_not_known_yet_are_ignored(value: dict[str, Any]) -> None:
    known = Manifest.from_dict(value)
    for block in (value, value["input"], value["variants"]["int8"], value["metrics"], value["parity"]["gates"][0]):
        block["colour"] = "blue"
    assert Manifest.from_dict(value) == known


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
        (lambda value: value.pop("labels"), r"`m\.json` requires the key `labels`\. Received: an object without it\."),
        (
            lambda value: value["input"].pop("dtype"),
            r"requires the key `dtype` at `input`\. Received: an object without",
        ),
        (lambda value: value.update(input=3), r"requires an object at `input`\. Received: 3\."),
        (lambda value: value.update(variants=[]), r"requires an object at `variants`\. Received: a list\."),
        (lambda value: value.update(labels="red"), r"requires a list at `labels`\. Received: 'red'\."),
        (lambda value: value["labels"].append(3), r"requires text at `labels\[3\]`\. Received: 3\."),
        (lambda value: value["labels"].append("\ud800"), r"requires text at `labels\[3\]`\. Received: '\\ud800'\."),
        (
            lambda value: value["input"]["range"].pop(),
            r"a list of 2 at `input\.range`\. Received: a list of 1\.",
        ),
        (
            lambda value: value["input"]["shape"].append(None),
            r"requires a whole number of 64 bits or text at `input\.shape\[4\]`\. Received: null\.",
        ),
        (lambda value: value["variants"]["int8"].update(opset=True), r"at `variants\.int8\.opset`\. Received: true\."),
        (lambda value: value["variants"]["int8"].update(opset=17.5), r"at `variants\.int8\.opset`\. Received: 17\.5\."),
        (lambda value: value["metrics"]["accuracy"].update(fp32="1"), r"a finite number at `metrics\.accuracy\.fp32`"),
        (
            lambda value: value["metrics"].update(count=2**63),
            r"at `metrics\.count`\. Received: a number beyond 64",
        ),
        (lambda value: value["parity"]["gates"][1].update(limit=float("nan")), r"at `parity\.gates\[1\]\.limit`.*nan"),
        (lambda value: value["input"].update(range=[0, float("inf")]), r"a finite number at `input\.range\[1\]`.*inf"),
        (lambda value: value["preprocess"].update(kind="magic"), r"`preprocess\.kind` must be one of digit, resize"),
        (lambda value: value["preprocess"].update(height=10**5000), r"`preprocess\.height`.*a number beyond 64 bits"),
        (lambda value: value.update(preprocess=[]), r"requires an object at `preprocess`\. Received: a list\."),
        (lambda value: value.update(session={"a" * 99: 1}), r"an object at `session\.'a{60}\.\.\.'`\. Received: 1\."),
        (lambda value: value.update(format="other"), "must be an edgeconv manifest"),
        (lambda value: value.update(schema_version=10**5000), "requires an edgeconv that reads schema version"),
    ],
)
def test_damage_is_named(value: dict[str, Any], damage: Callable[[dict[str, Any]], object], message: str) -> None:
    damage(value)
    with pytest.raises(ArtifactError, match=message) as raised:
        Manifest.from_dict(value, "m.json")
    assert len(str(raised.value).splitlines()) == 1
    assert len(str(raised.value)) < 300


def test_options_of_the_quantizer_are_open_but_not_deep(value: dict[str, Any]) -> None:
    options = value["variants"]["int8"]["quantization"]["extra_options"]
    options["Later"] = {"of": [1, {"a": None}]}
    assert Manifest.from_dict(value).as_dict() == value
    deep: Any = 0
    for _ in range(40):
        deep = [deep]
    options["Later"] = deep
    with pytest.raises(
        ManifestError,
        match=r"JSON of finite numbers and text, at most 32 deep, at `variants\.int8",
    ):
        Manifest.from_dict(value)


@pytest.mark.parametrize("text", ["{", "[]", "null", "[" * 100_000, '{"a":' * 100_000, f"[{'9' * 5000}]"])
def test_text_that_is_no_object(text: str) -> None:
    with pytest.raises(ManifestError, match="must be"):
        Manifest.from_json(text)


TEXTS = ["", "x" * 999, "\ud800", "\n"]
STRANGE = [None, True, -1, 0, 2**64, 10**400, 1e308, float("nan"), *TEXTS, [], [[]], {}, {"a": {}}]


def complaint(text: str) -> str:
    """Return why a manifest is refused; one that is not survives a rewriting."""
    try:
        manifest = Manifest.from_json(text)
    except ArtifactError as error:
        return str(error)
    assert Manifest.from_json(manifest.as_metadata()).as_metadata() == manifest.as_metadata()
    return ""


@pytest.mark.parametrize("path", COMMITTED.values(), ids=COMMITTED)
def test_whatever_stands_in_it_is_read_or_refused_in_one_line(path: Path) -> None:
    """3 x 2,000 damaged manifests, a second."""
    whole, random, refused = json.loads(path.read_text()), Random(0), 0
    for _ in range(2000):
        value = copy.deepcopy(whole)
        container, key = random.choice(list(places(value)))
        strange = random.choice(STRANGE)
        if random.random() < 0.2:
            del container[key]
        elif isinstance(container, dict) and random.random() < 0.2:
            container[random.choice(TEXTS)] = container.pop(key)
        else:
            container[key] = strange
        said = complaint(json.dumps(value))
        assert len(said.splitlines()) <= 1
        refused += bool(said)
    assert 1000 < refused < 2000
