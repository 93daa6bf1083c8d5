"""Pictures with boxes, from COCO's JSON and YOLO's text files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.boxes import CROWD, DETECTIONS
from edgeconv.datasets import checks
from edgeconv.datasets.examples import open_examples
from edgeconv.errors import DatasetError
from edgeconv.manifest import Manifest
from edgeconv.manifest_blocks import Boxes
from edgeconv.preparation import Preparation
from tests.manifests import frozen


@pytest.fixture(scope="module")
def detector() -> Manifest:
    """Return the contract of a detector of cats and dogs that pads pictures to 32 x 32."""
    manifest = Manifest.from_dict(frozen())
    output = replace(manifest.output, name="boxes", task="boxes", kind="tensor")
    return replace(
        manifest,
        output=output,
        labels=("cat", "dog"),
        preprocess=Preparation("resize", 32, 32, 1, fit="pad"),
        boxes=Boxes("xyxy", False, 0.05, 0.5, 100, "format=xyxy"),
    )


def _pictures(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (64, 32), 128).save(folder / name)  # Twice as wide as high: padded, half as large.


def _coco(path: Path, *categories: str, **changes: Any) -> Path:
    content = {
        "images": [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "b.png"}],
        "categories": [{"id": 10 + place, "name": name} for place, name in enumerate(categories)],
        "annotations": [
            {"image_id": 7, "category_id": 11, "bbox": [8, 4, 16, 8]},
            {"image_id": 7, "category_id": 10, "bbox": [0, 0, 64, 32], "iscrowd": 1},
        ],
        **changes,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        ("boxes.json", "."),
        ("boxes.json", "images"),
        ("annotations/boxes.json", "images"),
        ("annotations/instances_val2017.json", "val2017"),
    ],
)
def test_boxes_of_coco_are_told_in_what_the_model_is_fed(
    tmp_path: Path, detector: Manifest, file: str, folder: str
) -> None:
    _pictures(tmp_path / folder, "a.png", "b.png")
    examples = open_examples(str(_coco(tmp_path / file, "cat", "dog")), detector)
    assert examples.inputs["image"].shape == (2, 32, 32, 1)
    right = examples.right[DETECTIONS]
    assert right[0].tolist() == [[4, 10, 12, 14, 1, 1], [0, 8, 32, 24, CROWD, 0]]
    assert right[1].tolist() == [[0, 0, 0, 0, 0, -1]] * 2
    (tmp_path / folder / "b.png").unlink()
    assert open_examples(str(tmp_path / file), detector, count=1).count == 1


def test_categories_are_labels_by_name_or_numbers_in_order(tmp_path: Path, detector: Manifest) -> None:
    _pictures(tmp_path, "a.png", "b.png")
    swapped = open_examples(str(_coco(tmp_path / "x.json", "dog", "cat")), detector)
    assert swapped.right[DETECTIONS][0, :, 5].tolist() == [0, 1]
    numbered = open_examples(str(_coco(tmp_path / "x.json", "ant", "bee")), replace(detector, labels=("0", "1")))
    assert numbered.right[DETECTIONS][0, :, 5].tolist() == [1, 0]
    with pytest.raises(DatasetError, match=r"categories must be labels of the model, cat, dog\. Received: ant, bee"):
        open_examples(str(_coco(tmp_path / "x.json", "ant", "bee")), detector)


def test_a_file_or_a_picture_that_is_not_there_is_named(tmp_path: Path, detector: Manifest) -> None:
    with pytest.raises(DatasetError, match=r"each picture must lie beside it.*Received: 'a\.png', which does not"):
        open_examples(str(_coco(tmp_path / "x.json", "cat", "dog")), detector)
    with pytest.raises(DatasetError, match=r"of COCO are required\. Received: KeyError: 12"):
        open_examples(
            str(
                _coco(
                    tmp_path / "x.json",
                    "cat",
                    "dog",
                    annotations=[{"image_id": 7, "category_id": 12, "bbox": [0, 0, 1, 1]}],
                )
            ),
            detector,
        )
    (tmp_path / "y.json").write_text("[", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"of COCO are required\. Received: JSONDecodeError"):
        open_examples(str(tmp_path / "y.json"), detector)


@pytest.mark.parametrize("below", ["", "val"])
def test_yolo_has_a_line_for_each_box(tmp_path: Path, detector: Manifest, below: str) -> None:
    _pictures(tmp_path / "images" / below, "a.png", "b.png")
    labels = tmp_path / "labels" / below
    labels.mkdir(parents=True)
    (labels / "a.txt").write_text("1 0.25 0.25 0.25 0.25\n\n0 0.5 0.5 1 1\n", encoding="utf-8")
    place = tmp_path / "images" / below if below else tmp_path
    right = open_examples(str(place), detector).right[DETECTIONS]
    np.testing.assert_allclose(right[0], [[4, 10, 12, 14, 1, 1], [0, 8, 32, 24, 1, 0]], atol=1e-5)
    assert (right[1, :, 4] == 0).all()
    assert open_examples(str(place), detector, count=1).count == 1


@pytest.mark.parametrize("line", ["2 0.5 0.5 1 1", "0 0.5 0.5 1", "cat 0.5 0.5 1 1", "0.5 0.5 0.5 1 1"])
def test_a_line_that_is_none_is_named(tmp_path: Path, detector: Manifest, line: str) -> None:
    _pictures(tmp_path / "images", "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text(f"0 0.5 0.5 1 1\n{line}\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=rf"a\.txt: a class from 0 to 1, .*Received: '{line}' in line 2"):
        open_examples(str(tmp_path), detector)


def test_pictures_alone_have_nothing_to_be_right_by(tmp_path: Path, detector: Manifest) -> None:
    _pictures(tmp_path, "a.png")
    assert open_examples(str(tmp_path), detector).right == {}


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (b"0 nan 0.5 0.2 0.1", r"Received: '0 nan 0\.5 0\.2 0\.1' in line 1"),
        (b"0 0.5 0.5 1e999 0.1", r"Received: '0 0\.5 0\.5 1e999 0\.1' in line 1"),
        (b"\x80 0.5 0.5 0.2 0.1", r"text in UTF-8 is required\. Received: 'utf-8' codec can't decode byte 0x80"),
    ],
)
def test_boxes_of_yolo_that_are_no_numbers(tmp_path: Path, detector: Manifest, content: bytes, received: str) -> None:
    _pictures(tmp_path / "images", "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_bytes(content)
    with pytest.raises(DatasetError, match=received):
        open_examples(str(tmp_path), detector)


@pytest.mark.parametrize(
    ("old", "new", "received"),
    [
        ("[8, 4, 16, 8]", "[NaN, 4, 16, 8]", "ValueError: NaN or infinity"),
        ("[8, 4, 16, 8]", f"[{'9' * 400}, 4, 16, 8]", "OverflowError: int too large"),
        ("[8, 4, 16, 8]", "[" * 5000, "RecursionError: "),
        ('"a.png"', f'"{"x" * 300}"', "'xxx"),
    ],
)
def test_numbers_and_names_of_coco_that_are_none(
    tmp_path: Path, detector: Manifest, old: str, new: str, received: str
) -> None:
    path = _coco(tmp_path / "boxes.json", "cat", "dog")
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DatasetError, match=f"Received: {received}"):
        open_examples(str(path), detector)


def test_text_whose_objects_do_not_fit_into_memory_is_not_read(
    tmp_path: Path, detector: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "memory_allowed", lambda: 2500)
    table = tmp_path / "table.csv"
    table.write_text("file,label\n" + "a.png,cat\n" * 100)
    for path in (_coco(tmp_path / "boxes.json", "cat", "dog", images=[{}] * 100), table):
        with pytest.raises(DatasetError, match="0 MB, more than 0 MB"):
            open_examples(str(path), detector if path.suffix == ".json" else replace(detector, boxes=None))
