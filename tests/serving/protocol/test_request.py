"""Requests for inference as they are read: numbers in JSON, and how much memory bad ones may take."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

pytest.importorskip("msgspec", reason="needs the extra `serve`")

from edgeconv.errors import InputError
from edgeconv.serving.protocol.datatypes import NUMPY
from edgeconv.serving.protocol.json_tensors import PART_BYTES
from edgeconv.serving.protocol.request import read_request


def asking(data: Any, datatype: str, shape: list[int]) -> bytes:
    return json.dumps({"inputs": [{"name": "x", "datatype": datatype, "shape": shape, "data": data}]}).encode()


def read(data: Any, datatype: str, shape: list[int]) -> Any:
    return read_request(asking(data, datatype, shape)).inputs["x"]


@pytest.mark.parametrize("datatype", list(NUMPY))
@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3, 1), (0,), (2, 0), (1,), (1, 1), ()])
def test_numbers_flat_and_nested(datatype: str, shape: tuple[int, ...]) -> None:
    expected = (np.arange(np.prod(shape, dtype=int)) % 2).astype(NUMPY[datatype]).reshape(shape)
    for data in (expected.ravel().tolist(), expected.tolist() if shape else expected.ravel().tolist()):
        found = read(data, datatype, list(shape))
        np.testing.assert_array_equal(found, expected)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)


@pytest.mark.parametrize("datatype", ["UINT8", "INT64", "FP16", "FP32", "FP64"])
def test_lists_of_several_parts(datatype: str) -> None:
    dtype = NUMPY[datatype]
    values = np.random.default_rng(0).normal(50, 20, PART_BYTES // 2).clip(0, 255).astype(dtype)
    for data in (values.tolist(), values.reshape(-1, 4).tolist()):
        np.testing.assert_array_equal(read(data, datatype, [len(values) // 4, 4]), values.reshape(-1, 4))


@pytest.mark.parametrize(
    ("datatype", "extremes"),
    [(name, np.iinfo(NUMPY[name])) for name in NUMPY if "INT" in name] + [("FP32", np.finfo(np.float32))],
)
def test_the_whole_range_and_nothing_beyond(datatype: str, extremes: Any) -> None:
    ends = [extremes.min, extremes.max]
    ends = [float(end) if datatype == "FP32" else int(end) for end in ends]
    assert read(ends, datatype, [2]).tolist() == ends
    for beyond in (ends[0] * 2 - 1, ends[1] * 2):
        with pytest.raises(InputError, match="numbers beyond its range"):
            read([beyond, 0], datatype, [2])


@pytest.mark.parametrize(
    ("data", "datatype", "words"),
    [
        ([1, 2, 3], "UINT8", "Received: 3 elements. Give as many"),
        ([[1], [2, 3, 4]], "UINT8", "Received: lists of another form"),
        ([[1, 2, 3, 4]], "UINT8", "Received: lists of another form"),
        ([[[1, 2]], [[3, 4]]], "UINT8", "Received: lists of another form"),
        ([1.5, 2, 3, 4], "UINT8", "Expected `int`, got `float`"),
        ([1, True, 3, 4], "INT32", "Expected `int`, got `bool`"),
        ([1, 2, 3, 4], "BOOL", "Expected `bool`, got `int`"),
        ([1, None, 3, 4], "FP32", "Expected `float`, got `null`"),
        (["1", "2", "3", "4"], "FP32", "Expected `float`, got `str`"),
        (["1,2,3", "4"], "FP32", "got `str`"),
        ([{"a": 1, "b": 2}, 3, 4], "FP32", "got `object`"),
        ([65504.0 * 2, 0, 0, 0], "FP16", "numbers beyond its range"),
        (7, "UINT8", "Received: no list"),
        (["a", "b"], "BYTES", "requires 4 strings in `x`. Received: 2"),
        ([1, 2, 3, 4], "BYTES", "Received: int. Quote them"),
    ],
)
def test_other_data_is_refused(data: Any, datatype: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(data, datatype, [2, 2])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "Input data was truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b"{}", "missing required field `inputs`"),
        (b'{"inputs": [{"shape": [1], "datatype": "FP32", "data": [1]}]}', "missing required field `name`"),
        (b'{"inputs": [{"name": "x", "shape": [-1], "datatype": "FP32", "data": [1]}]}', ">= 0"),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP8", "data": [1]}]}', "`datatype` of `x` as one of"),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32"}]}', "no list"),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [NaN]}]}', "invalid character"),
        (b'{"inputs": [], "id": "\xff"}', "JSON as"),
        (b'{"inputs": [], "outputs": [%b{"name": "x"}]}' % (b'{"name": "x"},' * 2000), "of length <= 1024"),
        (b'{"inputs": [], "outputs": [{"name": "x"}, {"name": "x"}]}', "each output once"),
    ],
)
def test_other_requests_are_refused(text: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_request(text)


SIZE = 2**21
"""Of a body, in bytes; what it may take grows with it."""

MOST_SHARE = 8
"""Bytes of memory for each of the body: its text, its numbers without brackets, and the array, of 8 bytes a number."""


def _filled(part: bytes, *, after: bytes, datatype: str = "UINT8") -> bytes:
    data = b"[%b%b]" % (part * (SIZE // len(part)), after)
    return b'{"inputs": [{"name": "x", "shape": [%d, 1], "datatype": "%b", "data": %b}]}' % (
        SIZE // len(part) + 1,
        datatype.encode(),
        data,
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_filled(b"[],", after=b"[]"), id="empty lists"),
        pytest.param(_filled(b"{},", after=b"{}"), id="empty objects"),
        pytest.param(_filled(b"[0],", after=b"[0]"), id="a list around each number"),
        pytest.param(_filled(b"0,", datatype="FP64", after=b"0"), id="numbers"),
        pytest.param(_filled(b"[],", datatype="BYTES", after=b"[]"), id="empty lists for strings"),
        pytest.param(_filled(b"{},", datatype="BYTES", after=b"{}"), id="empty objects for strings"),
        pytest.param(b"[" * SIZE + b"]" * SIZE, id="nested"),
        pytest.param(b'{"inputs": [%b' % (b"{" * SIZE), id="inputs"),
        pytest.param(b'{"inputs": [], "parameters": {"a": [%b[]]}}' % (b"[]," * (SIZE // 3)), id="parameters"),
        pytest.param(b'{"inputs": [], "more": [%b[]]}' % (b"[]," * (SIZE // 3)), id="what nobody reads"),
    ],
)
def test_a_bad_request_takes_little_memory(body: bytes) -> None:
    tracemalloc.start()
    try:
        with suppress(InputError):
            read_request(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_SHARE * len(body)
