"""The judge of files, on readers that are as no reader should be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import strategies as st

from edgeconv.errors import ConfigError
from tests.fuzz import judging
from tests.fuzz.hunting import hunt
from tests.fuzz.judging import FindingError, judge
from tests.fuzz.protobuf import decode, encode
from tests.fuzz.target import TINY, Reader, Target


class TwoLinesError(Exception):
    """An error of some bundle."""


def _fails(error: Exception) -> judging.Look:
    def look(path: Path) -> None:
        raise error

    return look


def test_an_answer_and_an_error_of_ours_are_right(tmp_path: Path) -> None:
    assert judge(lambda _: 7, tmp_path)
    assert not judge(_fails(ConfigError("x must be 1. Received: 'a\nb'.")), tmp_path)


def test_other_errors_are_told_by_their_place(tmp_path: Path) -> None:
    with pytest.raises(FindingError, match=r"test_judging\.py look: KeyError: 'a'"):
        judge(_fails(KeyError("a")), tmp_path)


def test_an_error_of_two_lines_is_found(tmp_path: Path) -> None:
    with pytest.raises(FindingError, match="an error that is not one line"):
        judge(_fails(TwoLinesError("a\nb")), tmp_path, errors=(TwoLinesError,))


def test_what_takes_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(FindingError, match=r"test_judging\.py <lambda>: takes long: more than 0\.05 s"):
        judge(lambda _: time.sleep(20), tmp_path, seconds=0.05)


def test_the_peak_of_memory_counts_though_it_was_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far more than the limit: what earlier tests left may be given back meanwhile, and the process shrink by it."""
    monkeypatch.setattr(judging, "MOST_BYTES", 50 << 20)
    judge(lambda _: len(b"x" * (20 << 20)), tmp_path)
    with pytest.raises(FindingError, match=r"takes much memory: \d+ MB"):
        judge(lambda _: len(b"x" * (800 << 20)), tmp_path)


def test_a_search_ends_with_the_smallest_file_of_each_kind(tmp_path: Path) -> None:
    def look(path: Path) -> None:
        content = path.read_bytes()
        if len(content) > 3:
            raise KeyError(content[0]) if content[0] > 9 else ValueError(content)

    target = Target("planted", "file", st.binary(max_size=20), lambda _: Reader(look), corpus="none")
    result = hunt(target, target.open(tmp_path), tmp_path, examples=600)
    found = {kind: content for kind, (_, content) in result.found.items()}
    assert found == {
        "test_judging.py look: KeyError": b"\x0a\0\0\0",
        "test_judging.py look: ValueError": b"\0\0\0\0",
    }


def test_a_message_that_is_taken_apart_is_put_together_again() -> None:
    model = (TINY / "model.onnx").read_bytes()
    fields = decode(model)
    assert encode(fields) == model
    assert any(field.inside for field in fields)
