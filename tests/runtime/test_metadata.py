"""The metadata of an ONNX file are what ONNX Runtime reads from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeconv.runtime.metadata import read_metadata
from edgeconv.runtime.session import Session


@pytest.mark.parametrize("file", ["model.onnx", "model.int8.onnx", "model.e2e.onnx"])
def test_it_is_what_onnx_runtime_reads(tiny: Path, file: str) -> None:
    model = (tiny / file).read_bytes()
    assert read_metadata(model) == Session(model).metadata
    assert "edgeconv.manifest" in read_metadata(model)


def test_every_kind_of_field_is_skipped() -> None:
    entry = b"\x72\x06\x0a\x01a\x12\x01b"
    assert read_metadata(b"\x08\x96\x01" + b"\x09" + bytes(8) + b"\x0d" + bytes(4) + entry) == {"a": "b"}
    assert read_metadata(b"\x72\x03\x0a\x01a") == {"a": ""}


@pytest.mark.parametrize("damaged", [b"", b"nothing", b"\xff" * 20, b"\x72\x06\x0a\x01a", b"\x72\x02\x12\x00", b"\x0b"])
def test_bytes_that_are_no_onnx_file_have_none(damaged: bytes) -> None:
    assert read_metadata(damaged) == {}
