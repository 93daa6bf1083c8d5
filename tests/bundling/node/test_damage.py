"""Damaged PNG and JPEG files end in an answer, or in one line, in the bundle `node`."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.checking import check_corpus, check_examples
from tests.fuzz.targets import TARGETS
from tests.fuzz.targets.bundles import node_reader


def test_damaged_pictures_are_answered_or_refused(app: Path, tmp_path: Path) -> None:
    target, reader = TARGETS["bundle-node"], node_reader(app)
    check_examples(target, reader, tmp_path)
    check_corpus(target, reader, tmp_path)
    reader.close()
