"""Files that once were dealt with badly, each by what was wrong with it: in `tests/data/fuzz`, or made here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fuzz.target import ROOT, Target

FILES = ROOT / "tests" / "data" / "fuzz"

MADE: dict[tuple[str, str], Callable[[], bytes]] = {}
"""Those that are too long to keep, by the kind of file and what is wrong with it."""


def corpus_of(target: Target) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file that a target reads."""
    for path in sorted(Path(FILES / target.corpus).iterdir()):
        yield path.name, path.read_bytes()
    for (kind, name), make in MADE.items():
        if kind == target.corpus:
            yield name, make()
