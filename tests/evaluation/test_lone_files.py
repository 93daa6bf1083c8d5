"""`evaluate` of a lone file, which may be a stranger's, on a folder of pictures."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import edgeconv
from edgeconv.errors import EdgeconvError, InferenceError

pytest.importorskip("onnx", reason="needs the extra `train`")

from tests.datasets.drawn import Listener
from tests.hostile import GRAPHS


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a folder of four pictures of each of three colours."""
    folder = tmp_path_factory.mktemp("pictures")
    for channel, name in enumerate(("red", "green", "blue")):
        (folder / name).mkdir()
        for number in range(4):
            picture = np.zeros((20, 14, 3), np.uint8)
            picture[..., channel] = 200 + number
            Image.fromarray(picture).save(folder / name / f"{number}.png")
    return str(folder)


@pytest.mark.parametrize("file", ["model.onnx", "model.int8.onnx", "model.e2e.onnx"])
def test_each_variant_is_judged_by_itself(tiny: Path, pictures: str, file: str) -> None:
    ledger = edgeconv.evaluate(tiny / file, dataset=pictures)
    assert [(row.count, row.agreement) for row in ledger.rows] == [(3, 1.0)]


def test_classes_are_those_of_the_name_and_not_of_the_place(tiny: Path, pictures: str) -> None:
    """Folders come in the order of their names: blue is their first class, and the last one of the model."""
    assert [row.accuracy for row in edgeconv.evaluate(tiny / "model.onnx", dataset=pictures).rows] == [1.0]


def test_classes_of_other_names_are_taken_by_their_order_and_said(tiny: Path, pictures: str, tmp_path: Path) -> None:
    shutil.copytree(pictures, tmp_path / "named")
    (tmp_path / "named" / "blue").rename(tmp_path / "named" / "azure")
    heard = Listener()
    edgeconv.evaluate(tiny / "model.onnx", dataset=str(tmp_path / "named"), progress=heard)
    assert any("class 0, azure, is taken for the model's red" in sentence for sentence in heard.words)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("rank 0", r"`scores` must have scores for each of 1 inputs\. Received: \(\)"),
        ("rank 1", r"Received: \(3,\)"),
        ("rank 3", r"Received: \(1, 1, 3\)"),
        ("no rows", r"Received: \(0, 3\)"),
        ("more rows than pictures", r"Received: \(5, 3\)"),
        ("not a number", r"`fp32`, which the others are judged by, .* Received: NaN or infinity"),
        ("infinity", "Received: NaN or infinity"),
    ],
)
def test_what_is_no_answer_is_refused(tmp_path: Path, pictures: str, wrong: str, message: str) -> None:
    with pytest.raises(InferenceError, match=message):
        edgeconv.evaluate(GRAPHS[wrong](tmp_path / "model.onnx"), dataset=pictures, images=1)


@pytest.mark.parametrize("wrong", GRAPHS)
def test_no_file_ends_it_otherwise_than_by_an_error_of_ours(tmp_path: Path, pictures: str, wrong: str) -> None:
    path = GRAPHS[wrong](tmp_path / "model.onnx")
    with suppress(EdgeconvError):
        edgeconv.evaluate(path, dataset=pictures, images=1)
