"""What of Keras' own answers speaks against what is stated of a detector."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")

from edgeconv.boxes import DETECTIONS, BoxStatement
from edgeconv.conversion.detection.plausibility import check_scores, doubt_of_boxes
from edgeconv.errors import ConfigError
from edgeconv.parity.comparison import Batch, ComparisonSet
from tests.conversion.detection.graphs import layout


def _answered(**arrays: Any) -> ComparisonSet:
    expected = {name: np.array(array, np.float32) for name, array in arrays.items()}
    return ComparisonSet("x", "x", "", (Batch({"image": np.zeros((1, 40, 60, 3))}, expected=expected),))


@pytest.mark.parametrize("scores", [[0.2, 1.5], [-0.1, 0.4]])
def test_probabilities_are_0_to_1(scores: list[float]) -> None:
    where = layout(BoxStatement(format="xyxy"), 2)
    with pytest.raises(
        ConfigError, match=r"The scores of `m` must be probabilities, 0 to 1\. Received: .*activation=s"
    ):
        check_scores(Path("m"), where, _answered(scores=[[scores]]))
    check_scores(Path("m"), where, _answered(scores=[[[0.0, 1.00001]]]))


@pytest.mark.parametrize(
    ("name", "boxes", "doubt"),
    [
        ("xyxy", [[2, 2, 30, 30], [0, 0, 60, 40]], None),
        ("rel_xyxy", [[2, 2, 30, 30]], None),
        ("xyxy", [[30, 30, 2, 2], [9, 9, 9, 20], [0, 0, 9, 9]], "67% of the boxes that were found have no area"),
        ("rel_cxcywh", [[0, 0, 3000, 3000]], r"Boxes reach 3000 of 60 pixels: .* shares of the picture, rel_cxcywh"),
        ("cxcywh", [[0.1, 0.1, 0.9, 0.9]], r"No box reaches beyond 0\.9 pixels: .* shares of the picture, rel_cxcywh"),
        ("xyxy", [], "No boxes were found on these inputs: name pictures with some by `--input-data`"),
    ],
)
def test_boxes_that_cannot_be_are_doubted(name: str, boxes: list[list[float]], doubt: str | None) -> None:
    rows = [[*box, 0.5, 0] for box in boxes] + [[0, 0, 0, 0, 0, -1]]
    said = doubt_of_boxes(layout(BoxStatement(format=name), 2), _answered(**{DETECTIONS: [rows]}))
    if doubt is None:
        assert said is None
    else:
        assert said is not None
        assert re.match(doubt, said), said
