"""What is right of pictures: a table, a COCO file, a text of YOLO's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from edgeconv.datasets.examples import open_examples
from edgeconv.manifest import Manifest
from tests.fuzz.damage import damaged
from tests.fuzz.target import SEVEN, TINY, Reader, Target
from tests.fuzz.texts import damaged_json, tables

CONTRACT = json.loads((TINY / "manifest.json").read_text())
BOXES = {"format": "xyxy", "suppressed": True, "confidence": 0.5, "iou": 0.5, "most": 10, "stated": "xyxy"}
COCO = {
    "images": [{"id": 1, "file_name": "a.png", "height": 240, "width": 320}, {"id": 2, "file_name": "b.png"}],
    "categories": [{"id": 3, "name": "red"}, {"id": 4, "name": "green"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 30.5, 40], "iscrowd": 0}],
}
TABLES = [b"file,label\na.png,red\nb.png,green\n", b"file;red;green;blue\r\na;1;0;0\r\n", b"id,y\na.png,0.5\n"]
YOLO = [b"0 0.5 0.5 0.2 0.1\n2 0.1 0.1 0.05 0.05\n"]


def _contract(task: str) -> Manifest:
    """Return the contract of the tiny artifact as if it answered another task."""
    output = {**CONTRACT["output"], "task": task, "kind": "probabilities" if task == "classes" else "tensor"}
    boxes = {"boxes": BOXES} if task == "boxes" else {}
    return Manifest.from_dict({**CONTRACT, **boxes, "output": output})


def _of(*tasks: str, place: Callable[[Path], Path] = lambda path: path) -> Callable[[Path], Reader]:
    """Return what opens a reader of examples of these tasks, at a place told from the path of the damaged file."""
    contracts = [_contract(task) for task in tasks]

    def look(path: Path) -> None:
        for contract in contracts:
            open_examples(str(place(path)), contract)

    def open_reader(folder: Path) -> Reader:
        (folder / "images").mkdir()
        for name in ("a.png", "b.png"):
            shutil.copy(SEVEN, folder / "images" / name)
        return Reader(look)

    return open_reader


TARGETS = (
    Target(
        "tables",
        "table.csv",
        tables((",", ";", "\t")) | damaged(TABLES),
        _of("classes", "tags", "values", "yes-no"),
        corpus="tables",
    ),
    Target("coco", "boxes.json", damaged_json([COCO]), _of("boxes"), corpus="coco"),
    Target(
        "yolo",
        "labels/a.txt",
        tables((" ", "  ", ",", "\t")) | damaged(YOLO),
        _of("boxes", place=lambda path: path.parents[1]),
        corpus="yolo",
    ),
)
