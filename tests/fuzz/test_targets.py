"""Each target on a few damaged files, always the same, and on all that were once dealt with badly.

Seconds, of which importing Keras takes most; `make fuzz` goes on for as long as it is told to.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.checking import check_corpus, check_examples
from tests.fuzz.corpus import FILES
from tests.fuzz.target import Reader, Target
from tests.fuzz.targets import TARGETS

NEEDS_KERAS = {"keras", "h5"}
NAMES = [
    pytest.param(name, marks=[pytest.mark.train] if name in NEEDS_KERAS else [])
    for name, target in TARGETS.items()
    if not target.apart
]


@pytest.fixture(scope="module", params=NAMES)
def target(request: pytest.FixtureRequest) -> Target:
    target = TARGETS[request.param]
    reason = target.needs()
    if reason:
        pytest.skip(reason)
    return target


@pytest.fixture(scope="module")
def folder(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(target.name)


@pytest.fixture(scope="module")
def reader(target: Target, folder: Path) -> Iterator[Reader]:
    reader = target.open(folder)
    yield reader
    reader.close()


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_answered_or_refused(target: Target, reader: Reader, folder: Path) -> None:
    check_examples(target, reader, folder)


@pytest.mark.filterwarnings("ignore")
def test_what_was_once_dealt_with_badly_is_answered_or_refused(target: Target, reader: Reader, folder: Path) -> None:
    check_corpus(target, reader, folder)


def test_each_file_of_the_corpus_is_small_and_read_by_a_target() -> None:
    kinds = {target.corpus for target in TARGETS.values()}
    for path in FILES.rglob("*"):
        assert path.is_dir() or (path.parent.name in kinds and path.stat().st_size < 10_000), path
