"""A lone `.onnx` with random damage is opened and answers, or is refused by an error of ours."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import edgeconv
from edgeconv.errors import EdgeconvError

DAMAGES = 100


@pytest.mark.parametrize("file", ["model.onnx", "model.int8.onnx", "model.e2e.onnx"])
@pytest.mark.filterwarnings("ignore")
def test_random_damage_is_refused_or_makes_no_difference(tiny: Path, seven: Path, tmp_path: Path, file: str) -> None:
    """Takes some seconds: a hundred damages a file, most of which ONNX Runtime has to open to find."""
    whole = (tiny / file).read_bytes()
    chance = random.Random(0)
    path = tmp_path / "model.onnx"
    refused = 0
    for _ in range(DAMAGES):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 2, 8))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        for look in (lambda: edgeconv.Predictor(path).predict(seven), lambda: edgeconv.inspect(path)):
            try:
                look()
            except EdgeconvError:
                refused += 1
    assert refused > DAMAGES


def test_metadata_that_are_no_text_are_named(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes((tiny / "model.onnx").read_bytes().replace(b"edgeconv.manifest", b"edgeconv.manif\xffst"))
    with pytest.raises(
        EdgeconvError, match=r"must have names and metadata in UTF-8\. Received: 'utf-8' codec can't decode"
    ):
        edgeconv.Predictor(path)


def test_parts_whose_names_are_no_text_are_named(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra `train`")
    path = tmp_path / "model.onnx"
    path.write_bytes((tiny / "model.onnx").read_bytes().replace(b"edgeconv.manifest", b"edgeconv.manif\xffst"))
    with pytest.raises(EdgeconvError, match=r"must name its parts in UTF-8\. Received: bytes that are no text"):
        edgeconv.inspect(path)
