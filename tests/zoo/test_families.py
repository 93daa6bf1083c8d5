"""The smallest model of each family, at a small size, deep ones up to a layer; `make zoo` does all of them whole.

Each takes some seconds on one thread: TensorFlow builds and traces a hundred layers.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeconv.config import ExportConfig
from edgeconv.conversion.export import export_here
from tests.zoo import catalogue, comparison, results

pytestmark = pytest.mark.train


def test_every_family_of_keras_has_a_small_model_here() -> None:
    smallest = {family: name for family, (name, *_) in catalogue.SMALL.items()}
    assert smallest.keys() == catalogue.families().keys()
    assert {family for family, names in catalogue.families().items() if smallest[family] in names} == smallest.keys()


def test_every_model_of_keras_has_results() -> None:
    assert results.read(results.FILE)["models"].keys() == catalogue.constructors().keys()


@pytest.mark.parametrize("family", catalogue.SMALL)
def test_a_family_is_exported_and_answers_as_keras(family: str, tmp_path: Path) -> None:
    from tests.zoo import models

    name, side, last = catalogue.SMALL[family]
    model = models.write(name, tmp_path, side, last)
    exported = export_here(model, config=ExportConfig(), out=tmp_path / "exported")
    found = comparison.compare(exported.path / "model.onnx", tmp_path / "reference.npz")
    assert found["outcome"] == "ok", found["reason"]
