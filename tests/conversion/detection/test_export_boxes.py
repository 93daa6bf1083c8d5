"""Detectors exported, with suppression in the file and without: one answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.conversion.exported import ExportedModel  # noqa: E402
from edgeconv.errors import ConfigError  # noqa: E402
from edgeconv.runtime.suppression import overlaps  # noqa: E402
from tests.bundling.python.running import verdict_of  # noqa: E402
from tests.conversion.detection import shapes  # noqa: E402

Both = dict[bool, ExportedModel]


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Return the detector without suppression in the file, and with it, held against Keras on 40 drawn pictures."""
    folder = tmp_path_factory.mktemp("exported")
    np.savez(folder / "pictures.npz", image=np.stack(shapes.draw(40, seed=5)[0]))
    said: dict[str, Any] = {"boxes": "format=rel_cxcywh", "labels": shapes.LABELS, "fit": "crop"}
    said |= {"input_data": str(folder / "pictures.npz"), "fp16": True, "embed_preprocessing": True}
    return {
        nms: export_here(trained, config=ExportConfig(nms=nms, **said), out=folder / str(nms)) for nms in (False, True)
    }


@pytest.mark.parametrize("nms", [False, True])
def test_the_ledger_is_held_by_values_and_by_boxes(exported: Both, nms: bool) -> None:
    ledger = exported[nms].ledger
    assert ledger.passed
    spread, matched = "max error over spread", "boxes without a match in percent"
    assert [(gate.stage, gate.name) for gate in ledger.gates] == [
        ("fp32", spread),
        ("fp32", matched),
        ("fp16", spread),
        ("fp16", matched),
        ("e2e", "grey levels of the preparation"),
        ("e2e", spread),
        ("e2e", matched),
    ]
    count = int(ledger.gates[1].reason.split()[0])
    assert count > 80
    assert 0.0 < ledger.rows[1].max_abs_dp < 1e-4
    assert ledger.rows[1].p50_latency_ms is not None


def test_the_contract_says_what_the_outputs_hold(exported: Both) -> None:
    plain, suppressed = exported[False].manifest, exported[True].manifest
    assert (plain.task, plain.labels, plain.input.dtype) == ("boxes", shapes.LABELS, "uint8")
    assert [(spec.name, spec.dtype, spec.shape) for spec in (plain.output, *plain.more_outputs)] == [
        ("boxes", "float32", ("batch", 36, 4)),
        ("scores", "float32", ("batch", 36, 2)),
    ]
    assert [(spec.name, spec.dtype, spec.shape) for spec in (suppressed.output, *suppressed.more_outputs)] == [
        ("boxes", "float32", ("batch", 100, 4)),
        ("scores", "float32", ("batch", 100)),
        ("classes", "int32", ("batch", 100)),
    ]
    assert plain.boxes is not None
    assert suppressed.boxes is not None
    assert (plain.boxes.suppressed, suppressed.boxes.suppressed) == (False, True)
    assert plain.boxes.stated == "format=rel_cxcywh"
    assert edgeconv.Manifest.from_dict(json.loads(json.dumps(plain.as_dict()))) == plain


def test_the_same_answer_either_way_and_it_is_right(exported: Both) -> None:
    """Of pictures that are twice as large, and wider: only their middle is seen."""
    pictures, boxes, classes = shapes.draw(30, seed=9, size=(96, 144))
    answers = {nms: list(edgeconv.Predictor(exported[nms].path).predict_many(pictures)) for nms in exported}
    _check_inside(exported, pictures)
    right = seen = 0
    for number, (own, kinds) in enumerate(zip(boxes, classes, strict=True)):
        plain, suppressed = (answers[nms][number].prediction for nms in (False, True))
        assert isinstance(plain, edgeconv.Detections)
        assert plain == suppressed
        assert (plain.height, plain.width) == (96, 144)
        for box, kind in zip(own, kinds, strict=True):
            if box[0] >= 24 and box[2] <= 120:
                same = [found.box for found in plain.boxes if found.index == kind]
                right += bool(same) and float(overlaps(box, np.float32(same)).max()) > 0.5
                seen += 1
    assert right > 0.6 * seen > 10  # A fit that is not undone leaves none.


def _check_inside(exported: Both, pictures: list[np.ndarray]) -> None:
    """Check that a lone file with the preparation inside finds what Python and the file without it find."""
    for model in exported.values():
        plain, lone = edgeconv.Predictor(model.path, variant="fp32"), edgeconv.Predictor(model.path / "model.e2e.onnx")
        for picture in pictures[:5]:
            inside, found = lone.predict(picture), plain.predict(picture)
            assert isinstance(inside, edgeconv.Detections)
            assert isinstance(found, edgeconv.Detections)
            assert [box.label for box in inside.boxes] == [box.label for box in found.boxes]
            for one, other in zip(inside.boxes, found.boxes, strict=True):
                assert one.box == pytest.approx(other.box, abs=1.0)


@pytest.mark.parametrize("nms", [False, True])
def test_a_bundle_gives_its_boxes_as_arrays(exported: Both, nms: bool, tmp_path: Path) -> None:
    (verdict,) = verdict_of(exported[nms].path, tmp_path / "bundle")
    assert verdict.startswith("PASS: ")
    assert ", boxes within" in verdict


def test_predict_prints_and_draws(exported: Both, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from edgeconv.cli.main import cli

    picture = shapes.draw(6, seed=9, size=(96, 144))[0][5]
    Image.fromarray(picture[..., 0]).save(tmp_path / "a.png")
    arguments = ["predict", str(tmp_path / "a.png"), "--model", str(exported[True].path)]
    row = json.loads(CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path / "out")]).stdout)
    assert list(row) == ["path", "boxes", "threshold", "height", "width", "file"]
    assert list(row["boxes"][0]) == ["label", "index", "score", "box"]
    drawn = np.asarray(Image.open(row["file"]))
    x1, y1, _, y2 = row["boxes"][0]["box"]
    assert drawn.shape == (96, 144, 3)
    assert len(set(drawn[round((y1 + y2) / 2), round(x1)].tolist())) > 1  # A colour, in a grey picture.
    table = CliRunner().invoke(cli, [*arguments, "--format", "table"]).stdout
    assert table.splitlines()[0].split() == ["path", "size", "boxes"]
    assert "144 x 96" in table
    assert f"{row['boxes'][0]['label']} " in table


def test_the_same_bytes_again(exported: Both, trained: Path, tmp_path: Path) -> None:
    again = export_here(trained, config=ExportConfig(boxes="format=rel_cxcywh", nms=True), out=tmp_path / "a")
    other = export_here(trained, config=ExportConfig(boxes="format=rel_cxcywh", nms=True), out=tmp_path / "b" / "a")
    assert (again.path / "model.onnx").read_bytes() == (other.path / "model.onnx").read_bytes()


def test_scores_that_are_no_probabilities_are_refused(tmp_path: Path) -> None:
    path = shapes.save(shapes.detector(activation=None), tmp_path / "m.keras")
    config = ExportConfig(boxes="format=rel_cxcywh,activation=none")
    with pytest.raises(ConfigError, match=r"must be probabilities, 0 to 1\. Received: -.*activation=sigmoid"):
        export_here(path, config=config, out=tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_arrays_do_not_say_which_boxes_are_right(tmp_path: Path) -> None:
    path = shapes.save(shapes.detector(), tmp_path / "m.keras")
    np.savez(tmp_path / "x.npz", image=np.zeros((2, shapes.SIDE, shapes.SIDE, 1), np.uint8))
    with pytest.raises(ConfigError, match=r"`dataset` must say what is right .*inputs alone.*Give a COCO `\.json`, or"):
        export_here(path, config=ExportConfig(boxes="format=xyxy"), dataset=str(tmp_path / "x.npz"), out=tmp_path / "m")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (ExportConfig(boxes="format=xyxy", quantize=True), r"`quantize` requires samples.*of the task boxes"),
        (ExportConfig(boxes="format=xyxy", labels=("a",)), r"`labels` must name the 2 answers .*Received: 1 names"),
        (ExportConfig(task="boxes"), r"Cannot tell the format of the boxes"),
    ],
)
def test_what_does_not_go_with_a_detector_is_refused(tmp_path: Path, config: ExportConfig, problem: str) -> None:
    path = shapes.save(shapes.detector(), tmp_path / "m.keras")
    with pytest.raises(ConfigError, match=problem):
        export_here(path, config=config, out=tmp_path / "m")
