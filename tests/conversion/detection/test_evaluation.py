"""A detector judged on labelled pictures, in this folder since it is trained once for all tests here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from tests.conversion.detection import shapes  # noqa: E402


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a COCO file of 60 pictures that are twice as large as the detector's."""
    folder = tmp_path_factory.mktemp("labelled")
    pictures, boxes, classes = shapes.draw(60, seed=21, size=(96, 96))
    content: dict[str, list[dict[str, object]]] = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in range(60)],
        "categories": [{"id": 1, "name": "disc"}, {"id": 2, "name": "square"}],
        "annotations": [
            {"image_id": number, "category_id": 2 - int(kind), "bbox": [x1, y1, x2 - x1, y2 - y1]}
            for number, (own, kinds) in enumerate(zip(boxes, classes, strict=True))
            for (x1, y1, x2, y2), kind in zip(own.tolist(), kinds, strict=True)
        ],
    }
    for number, picture in enumerate(pictures):
        Image.fromarray(picture[..., 0]).save(folder / f"{number}.png")
    (folder / "shapes.json").write_text(json.dumps(content), encoding="utf-8")
    return folder / "shapes.json"


@pytest.mark.parametrize("nms", [False, True])
def test_precision_stays_and_boxes_match(trained: Path, labelled: Path, tmp_path: Path, nms: bool) -> None:
    config = ExportConfig(boxes="format=rel_cxcywh", nms=nms, labels=shapes.LABELS, fp16=True)
    exported = export_here(trained, config=config, dataset=str(labelled), out=tmp_path / "m")
    ledger = edgeconv.evaluate(exported.path, dataset=str(labelled))
    assert ledger.passed, ledger.failures()
    for row, again in zip(exported.ledger.rows, ledger.rows, strict=True):
        assert (row.stage, row.count, dict(row.metrics)) == (again.stage, 60, dict(again.metrics))
    assert [gate.name for gate in exported.ledger.gates] == [gate.name for gate in ledger.gates]
    assert [row.stage for row in ledger.rows] == ["keras", "fp32", "fp16"]
    metrics = [row.metrics for row in ledger.rows]
    assert list(metrics[0]) == ["mAP@0.5:0.95", "mAP@0.5"]
    assert 0.5 < metrics[0]["mAP@0.5"] <= 1.0
    assert 0.2 < metrics[0]["mAP@0.5:0.95"] < metrics[0]["mAP@0.5"]
    assert metrics[1] == pytest.approx(metrics[0], abs=1e-3)
    names = [gate.name for gate in ledger.gates if gate.stage == "fp32"]
    lost = ["mAP@0.5:0.95, loss in percent", "mAP@0.5, loss in percent"]
    assert names == ["max error over spread", "boxes without a match in percent", *lost]
    assert int(next(gate.reason for gate in ledger.gates if "match" in gate.name).split()[0]) > 150
    golden = edgeconv.evaluate(exported.path)
    assert golden.passed, golden.failures()
    assert golden.split == "golden"


def test_a_file_that_detects_something_else_fails(trained: Path, labelled: Path, tmp_path: Path) -> None:
    """The stated format is changed behind the export: Keras' boxes are decoded otherwise."""
    config = ExportConfig(boxes="format=rel_cxcywh", labels=shapes.LABELS)
    exported = export_here(trained, config=config, out=tmp_path / "m")
    manifest = json.loads((tmp_path / "m" / "manifest.json").read_text())
    manifest["boxes"]["stated"] = "format=rel_xywh"
    (tmp_path / "m" / "manifest.json").write_text(json.dumps(manifest))
    ledger = edgeconv.evaluate(exported.path, dataset=str(labelled), images=20)
    assert not ledger.passed
    failed = {gate.name for gate in ledger.gates if not gate.passed}
    assert {"max error over spread", "boxes without a match in percent"} <= failed
    assert np.isfinite([gate.received for gate in ledger.gates]).all()
