"""Programs that are asked about one file after the other, some of which end over a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz import judging
from tests.fuzz.asking import reader_of
from tests.fuzz.judging import FindingError, judge
from tests.fuzz.target import Reader

PROGRAM = """
import os, sys, time
for line in sys.stdin:
    name = os.path.basename(line.strip())
    if name == "dies":
        print("SUMMARY: heap-buffer-overflow", flush=True)
        os.abort()
    if name == "hangs":
        time.sleep(60)
    if name == "grows":
        x = "x" * 100_000_000
        del x
    if name == "talks":
        print("a")
        print("b")
    print("refused" if name in {"bad", "talks"} else "answered", flush=True)
"""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = reader_of([sys.executable, "-c", PROGRAM], tmp_path)
    yield reader
    reader.close()


def _judged(reader: Reader, name: str) -> bool:
    seconds = 1 if name == "hangs" else 20
    return judge(reader.look, Path(name), errors=reader.errors, seconds=seconds, process=reader.process())


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("dies", r"DiedError: code -6: SUMMARY: heap-buffer-overflow"),
        ("hangs", r"takes long"),
        ("talks", r"an error that is not one line: 'a\\nb'"),
        ("bad", r"an error that is not one line: ''"),
        ("grows", r"takes much memory"),
    ],
)
def test_a_bad_end_is_found_and_the_next_file_is_read(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, name: str, finding: str
) -> None:
    """One of them takes a second: it hangs."""
    monkeypatch.setattr(judging, "MOST_BYTES", 50 << 20)
    assert _judged(reader, "good")
    with pytest.raises(FindingError, match=finding):
        _judged(reader, name)
    assert _judged(reader, "good")
