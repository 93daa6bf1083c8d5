"""Damaged PNG and JPEG files end in an answer, or in one line, in the bundle `c`; no byte is read that is not there."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.checking import check_corpus, check_examples
from tests.fuzz.targets import TARGETS
from tests.fuzz.targets.bundles import c_reader


def test_damaged_pictures_are_answered_or_refused(source: Path, tmp_path: Path) -> None:
    """Takes seconds: the bundle is compiled with sanitizers."""
    target, reader = TARGETS["bundle-c"], c_reader(source, tmp_path)
    check_examples(target, reader, tmp_path)
    check_corpus(target, reader, tmp_path)
    reader.close()
