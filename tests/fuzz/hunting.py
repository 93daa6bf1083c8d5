"""The search: one example after the other for a while, and of each kind of finding the smallest."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import FlakyFailure

from tests.fuzz.judging import MOST_SECONDS, FindingError
from tests.fuzz.target import Reader, Target, judge_content

A_ROUND = 200
"""Examples of a seed, before the next one."""


@dataclass
class Hunt:
    """What a search came to.

    Attributes:
        examples: files that were read.
        answered: of them those that were no error.
        found: of each kind of finding what was said, and the smallest file that does it.
    """

    examples: int = 0
    answered: int = 0
    found: dict[str, tuple[str, bytes]] = field(default_factory=dict)


def hunt(
    target: Target, reader: Reader, folder: Path, *, examples: int | None, seconds: float = 0.0, first_seed: int = 0
) -> Hunt:
    """Let a target read damaged files.

    Args:
        target: what reads, and what it reads.
        reader: of the target.
        folder: where the file is written.
        examples: how many; None for as many as the seconds allow.
        seconds: to search for.
        first_seed: of the examples; the same seed gives the same ones.
    """
    result, end = Hunt(), time.monotonic() + seconds
    for number in _rounds(first_seed, examples, end):
        count = min(A_ROUND, examples - result.examples) if examples else A_ROUND
        _round(target, reader, folder / target.file, result, number, count, None if examples else end)
    return result


def _rounds(first: int, examples: int | None, end: float) -> Iterator[int]:
    if examples is not None:
        yield from range(first, first + -(-examples // A_ROUND))
        return
    while time.monotonic() < end:
        yield first
        first += 1


def _round(
    target: Target, reader: Reader, path: Path, result: Hunt, number: int, count: int, end: float | None
) -> None:
    met: list[FindingError] = []
    smallest = [b""]

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(target.examples)
    def read(content: bytes) -> None:
        if end is not None and time.monotonic() > end and not met:
            return
        result.examples += 1
        try:
            result.answered += judge_content(reader, path, content, MOST_SECONDS)
        except FindingError as finding:
            # Known ones are passed over, and while one is made smaller, so are others.
            if finding.kind in result.found or (met and finding.kind != met[0].kind):
                return
            met.append(finding)
            smallest[0] = content
            raise

    with contextlib.suppress(FindingError, FlakyFailure):  # Time and memory are not the same each time.
        read()
    if met:
        result.found[met[0].kind] = str(met[-1]), smallest[0]
