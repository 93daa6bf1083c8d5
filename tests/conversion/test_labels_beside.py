"""A file of labels beside a model is pointed at, and not taken unasked. Loads a network of one layer."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.steps.loading import load  # noqa: E402
from edgeconv.conversion.steps.resolution import ExportRequest, resolve  # noqa: E402
from tests.conversion.wide_pictures import Words  # noqa: E402


@pytest.mark.parametrize(("given", "told"), [(None, True), (("cat", "dog"), False)])
def test_labels_beside_a_model_are_pointed_at(given: tuple[str, ...] | None, told: bool, tmp_path: Path) -> None:
    layers = [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    keras.Sequential(layers).save(tmp_path / "m.keras")
    (tmp_path / "labels.txt").write_text("0 cat\n1 dog\n")
    words = Words()
    loaded = load(resolve(ExportRequest(tmp_path / "m.keras", ExportConfig(labels=given), None, tmp_path / "o", words)))
    assert loaded.labels == (given or ("0", "1"))
    assert any(line.startswith("No labels were given. `") for line in words.said) == told
