"""What every run checks of a target: a few damaged files, always the same, and all that were once dealt with badly."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.corpus import corpus_of
from tests.fuzz.hunting import hunt
from tests.fuzz.judging import MOST_SECONDS, FindingError
from tests.fuzz.target import Reader, Target, judge_content

EXAMPLES = 25


def check_examples(target: Target, reader: Reader, folder: Path) -> None:
    """Let a target read damaged files; some of them must be refused."""
    result = hunt(target, reader, folder, examples=EXAMPLES)
    assert not result.found, [words for words, _ in result.found.values()]
    assert result.examples >= EXAMPLES
    assert result.answered < result.examples


def check_corpus(target: Target, reader: Reader, folder: Path) -> None:
    """Let a target read what was once dealt with badly."""
    for name, content in corpus_of(target):
        try:
            judge_content(reader, folder / target.file, content, MOST_SECONDS)
        except FindingError as finding:
            raise AssertionError(f"{name}: {finding}") from finding
