"""What is said of a detector's outputs is checked before any work."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.boxes import FORMATS, BoxStatement
from edgeconv.config import ExportConfig
from edgeconv.errors import ConfigError

BOX = {
    "xyxy": (10, 20, 16, 40),
    "yxyx": (20, 10, 40, 16),
    "xywh": (10, 20, 6, 20),
    "cxcywh": (13, 30, 6, 20),
    "center_xywh": (13, 30, 6, 20),
    "center_yxhw": (30, 13, 20, 6),
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_makes_corners_of_one_box(name: str) -> None:
    assert (np.array(BOX[name]) @ np.array(FORMATS[name])).tolist() == [10, 20, 16, 40]


def test_a_statement_is_read_and_written() -> None:
    said = BoxStatement.parse(" format=rel_yxyx, scores = cls,iou=0.6,axis=1 ")
    assert said == BoxStatement(format="rel_yxyx", scores="cls", iou=0.6, axis=1)
    assert said.as_text() == "format=rel_yxyx,scores=cls,axis=1,iou=0.6"
    assert BoxStatement.parse(said.as_text()) == said
    assert ExportConfig(boxes="format=xyxy").box_statement == BoxStatement(format="xyxy")
    assert ExportConfig(task="boxes").box_statement == BoxStatement()
    assert ExportConfig().box_statement is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("format=xxyy", r"`boxes format` must be one of xyxy, .*rel_cxcywh.*Received: 'xxyy'"),
        ("fromat=xyxy", r"`boxes` must be KEY=VALUE,\.\.\., each of the keys format, .*Received: 'fromat=xyxy'"),
        ("xyxy", r"Received: 'xyxy'\. Try `format=xyxy`"),
        ("iou=1,iou=0", r"once at most\. Received: 'iou=0'"),
        ("iou=half", r"`boxes iou` must be a number\. Received: 'half'"),
        ("confidence=50", r"`boxes confidence` must be 0 to 1\. Received: 50\.0"),
        ("max=0", r"`boxes max` must be a whole number from 1 to 10000\. Received: 0"),
        ("axis=3", r"`boxes axis` must be a whole number from 1 to 2"),
        ("activation=relu", r"`boxes activation` must be one of sigmoid, softmax, none"),
        ("background=0", r"`boxes background` must be one of first, last, none"),
        ("columns=5", r"`boxes columns` must be one of box-scores, "),
    ],
)
def test_what_cannot_be_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        ExportConfig(boxes=text)


def test_options_go_together() -> None:
    with pytest.raises(ConfigError, match=r"`boxes` is for the task boxes\. Received: it with mask"):
        ExportConfig(task="mask", boxes="format=xyxy")
    with pytest.raises(ConfigError, match=r"`nms` is for the task boxes\. Received: no such task\. State `--boxes`"):
        ExportConfig(nms=True)
