from __future__ import annotations

import copy
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

import manifest_schema
from edgeconv.artifact import MANIFEST_FILE
from edgeconv.errors import ArtifactError
from edgeconv.manifest import Manifest
from edgeconv.session_options import SessionOptions, Tuned
from tests.manifests import COMMITTED, frozen, places

jsonschema = pytest.importorskip("jsonschema", reason="comes with the extra `dev`")


def complaints(value: Any) -> list[str]:
    """Return what the committed schema says against a manifest."""
    validator = jsonschema.Draft202012Validator(json.loads(manifest_schema.FILE.read_text(encoding="utf-8")))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_the_schema_is_what_the_classes_give() -> None:
    assert manifest_schema.FILE.read_text(encoding="utf-8") == manifest_schema.text(), "run `make schema`"
    jsonschema.Draft202012Validator.check_schema(manifest_schema.schema())


def test_it_says_of_each_key_what_it_holds() -> None:
    definitions = manifest_schema.schema()["$defs"]
    said = definitions["ArraySpec"]["properties"]["range"]["description"]
    assert said == "smallest and largest value that it holds, or null where that is not known."
    described = [value for kind in definitions.values() for value in kind["properties"].values()]
    assert all(value["description"].endswith(".") for value in described)


@pytest.mark.parametrize("path", COMMITTED.values(), ids=COMMITTED)
def test_committed_artifacts_keep_to_it(path: Path) -> None:
    value = json.loads(path.read_text(encoding="utf-8"))
    assert complaints(value) == []
    stamp = json.loads(Manifest.from_dict(value).as_metadata())
    assert complaints(stamp) == []


def test_a_tuned_artifact_keeps_to_it_and_later_keys_are_allowed() -> None:
    tuned = Tuned("int8", "CPUExecutionProvider", 2, SessionOptions("basic"), None, {"batch": 1})
    assert complaints({**frozen(), "session": {"f" * 16: tuned.as_dict()}, "colour": "blue"}) == []


@pytest.mark.train
def test_a_fresh_export_keeps_to_it(tmp_path: Path) -> None:
    """An export of the tiny network with int8 and the preparation inside: some seconds."""
    import numpy as np

    import edgeconv
    from edgeconv.conversion.export import export_here
    from tests.data.make_tiny import CLASSES, patches

    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), (*patches(60, 0), *patches(30, 1)), strict=True))
    np.savez(tmp_path / "patches.npz", **arrays, labels=np.array(CLASSES))
    config = edgeconv.ExportConfig(quantize=True, embed_preprocessing=True, fast=True, max_drop=100.0)
    model, out = COMMITTED["tiny"].with_name("model.keras"), tmp_path / "made"
    exported = export_here(model, config=config, dataset=str(tmp_path / "patches.npz"), out=out)
    text = (out / MANIFEST_FILE).read_text(encoding="utf-8")
    assert complaints(json.loads(text)) == []
    assert Manifest.from_json(text) == exported.manifest
    quantization = exported.manifest.variants["int8"].quantization
    assert quantization is not None
    assert quantization.target is not None


STRANGE = [None, True, -1, 0.5, "", "x", [], [[]], {}, {"a": {}}]


def test_it_refuses_what_the_reader_refuses() -> None:
    """1,000 damaged manifests, two seconds. Less `preprocess`, whose keys depend on one another."""
    whole, random, refused = frozen(), Random(0), 0
    del whole["variants"]["fp32"], whole["preprocess"]["fit"]
    for _ in range(1000):
        value = copy.deepcopy(whole)
        container, key = random.choice([place for place in places(value) if place[0] is not value["preprocess"]])
        if isinstance(container, dict) and random.random() < 0.2:
            del container[key]
        else:
            container[key] = random.choice(STRANGE)
        try:
            Manifest.from_dict(value)
            said = ""
        except ArtifactError as error:
            said = str(error)
        refused += bool(said)
        assert bool(complaints(value)) is bool(said), (container, key, said)
    assert 100 < refused < 900
