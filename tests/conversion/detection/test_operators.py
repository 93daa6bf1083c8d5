"""Decoding and suppression as operators, against numpy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")

from edgeconv.boxes import FORMATS, BoxStatement
from edgeconv.conversion.detection.decoding import decoded
from edgeconv.conversion.detection.operators import with_detections
from edgeconv.conversion.keras.boxes.layout import Columns
from edgeconv.runtime.suppression import detections_of
from tests.conversion.detection.graphs import columns_model, layout, run

SIZE = (40, 60)


def _all(begin: int, end: int | None = None) -> Columns:
    return Columns("own_all", begin, end)


SCORES = {"own_boxes": 4, "own_scores": 3}
LAYOUTS: list[tuple[dict[str, int], int, dict[str, Any]]] = [
    *((SCORES, 3, {"format": name}) for name in FORMATS),
    (SCORES, 3, {"format": "rel_cxcywh", "pending": "sigmoid"}),
    (SCORES, 2, {"format": "rel_xyxy", "pending": "softmax", "background": "first"}),
    (SCORES, 2, {"format": "xywh", "pending": "softmax", "background": "last"}),
    ({"own_boxes": 4, "own_scores": 0}, 1, {"format": "xyxy"}),
    (
        {"own_boxes": 4, "own_scores": 0, "own_classes": 0},
        3,
        {"format": "rel_yxyx", "classes": Columns("own_classes")},
    ),
    (
        {"own_all": 8},
        3,
        {
            "format": "cxcywh",
            "boxes": _all(0, 4),
            "objectness": _all(4, 5),
            "scores": _all(5, 8),
            "pending": "sigmoid",
        },
    ),
    (
        {"own_all": 6},
        4,
        {"format": "xyxy", "boxes": _all(0, 4), "scores": _all(4, 5), "classes": _all(5, 6)},
    ),
]


@pytest.mark.parametrize(("outputs", "count", "said"), LAYOUTS)
@pytest.mark.parametrize("boxes", [7, None])
def test_operators_decode_as_numpy_does(
    outputs: dict[str, int], count: int, said: dict[str, Any], boxes: int | None
) -> None:
    described = dict(said)
    where = layout(BoxStatement(format=described.pop("format")), count, rows=boxes, **described)
    generator = np.random.default_rng(0)
    columns = sum(max(1, width) for width in outputs.values())
    image = generator.uniform(0.0, 1.0, (2, 7, columns)).astype(np.float32)
    if where.classes is not None:
        image[..., -1] = generator.integers(-1, count, (2, 7))
    model = columns_model(outputs, boxes or "boxes")
    own = run(model, image)
    made = run(with_detections(model, where, SIZE, suppressed=False), image)
    expected = decoded(where, own, SIZE)
    assert {name: array.shape for name, array in made.items()} == {"boxes": (2, 7, 4), "scores": (2, 7, count)}
    for name, array in expected.items():
        np.testing.assert_allclose(made[name], array, rtol=1e-5, atol=1e-6)


def test_columns_may_be_the_first_axis() -> None:
    where = layout(BoxStatement(format="xyxy"), 2, boxes=_all(0, 4), scores=_all(4), axis=1)
    image = np.random.default_rng(0).uniform(0.0, 1.0, (1, 6, 9)).astype(np.float32)
    model = columns_model({"own_all": 9}, 6)
    made = run(with_detections(model, where, SIZE, suppressed=False), image)
    np.testing.assert_array_equal(made["boxes"], image[:, :4].swapaxes(1, 2))
    np.testing.assert_array_equal(made["scores"], image[:, 4:].swapaxes(1, 2))
    np.testing.assert_array_equal(made["scores"], decoded(where, {"own_all": image}, SIZE)["scores"])


def test_shares_of_a_picture_of_any_size_ask_it() -> None:
    where = layout(BoxStatement(format="rel_xyxy"), 3)
    image = np.full((1, 5, 7), 0.5)
    made = run(with_detections(columns_model(SCORES), where, None, suppressed=False), image)
    # The "picture" of the test is its columns: five rows high and seven wide.
    assert made["boxes"][0, 0].tolist() == [3.5, 2.5, 3.5, 2.5]


@pytest.mark.parametrize("boxes", [40, None])
@pytest.mark.parametrize("most", [5, 100, 300])
def test_suppression_in_the_file_is_that_of_the_runtime(boxes: int | None, most: int) -> None:
    statement = BoxStatement(format="xywh", confidence=0.3, iou=0.4, max=most)
    where = layout(statement, 3, rows=boxes)
    generator = np.random.default_rng(1)
    image = generator.uniform(0.0, 1.0, (3, 40, 7)).astype(np.float32)
    image[..., :4] *= 20.0
    image[1, :, 4:] *= 0.2  # Nothing in the second picture.
    image[2, 20:] = image[2, :20]  # Equal scores.
    model = columns_model(SCORES, boxes or "boxes")
    plain = run(with_detections(model, where, SIZE, suppressed=False), image)
    made = run(with_detections(model, where, SIZE, suppressed=True), image)
    assert {name: (array.shape, array.dtype.name) for name, array in made.items()} == {
        "boxes": ((3, most, 4), "float32"),
        "scores": ((3, most), "float32"),
        "classes": ((3, most), "int32"),
    }
    ours = detections_of(where.contract(suppressed=False), plain)
    theirs = detections_of(where.contract(suppressed=True), made)
    np.testing.assert_array_equal(ours, theirs)
    assert (ours[1] == [0, 0, 0, 0, 0, -1]).all()
    assert 0 < (ours[0, :, 4] > 0).sum() <= min(most, 120)


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("size", [SIZE, None])
def test_each_opset_that_can_be_chosen_has_the_operators(opset: int, size: tuple[int, int] | None) -> None:
    model = columns_model(SCORES)
    model.opset_import[0].version = opset
    where = layout(BoxStatement(format="rel_xyxy"), 3)
    image = np.random.default_rng(0).uniform(0.0, 1.0, (2, 9, 7))
    made, expected = (
        run(with_detections(each, where, size, suppressed=True), image) for each in (model, columns_model(SCORES))
    )
    for name, array in expected.items():
        np.testing.assert_array_equal(made[name], array)


def test_what_is_not_read_stays_an_output_and_names_do_not_clash() -> None:
    model = columns_model({"own_boxes": 4, "own_scores": 3, "depth": 1})
    for node in model.graph.node:
        for place, name in enumerate(node.output):
            node.output[place] = "boxes" if name == "columns" else name
        for place, name in enumerate(node.input):
            node.input[place] = "boxes" if name == "columns" else name
    made = run(
        with_detections(model, layout(BoxStatement(format="xyxy"), 3), SIZE, suppressed=True), np.ones((1, 2, 8))
    )
    assert list(made) == ["boxes", "scores", "classes", "depth"]
    assert made["depth"].shape == (1, 2, 1)


def test_equal_detectors_give_equal_bytes() -> None:
    where = layout(BoxStatement(format="rel_yxyx"), 3)
    made = [with_detections(columns_model(SCORES), where, SIZE, suppressed=True) for _ in range(2)]
    assert made[0].SerializeToString(deterministic=True) == made[1].SerializeToString(deterministic=True)
    assert {entry.domain for entry in made[0].opset_import} == {""}
