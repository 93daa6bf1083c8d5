"""Killed before each call of the system that changes a name, a write leaves all of the old files or all of the new."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeconv.artifact import REPORT_FILE, read_json
from edgeconv.benchmarking.recording import BEGIN, BENCHMARK_FILE, record
from edgeconv.errors import ArtifactError
from edgeconv.transaction import complete_commit, new_folder
from tests.benchmarking.made import made, row
from tests.kills.artifacts import make_new, make_old, state_of, write
from tests.kills.killing import killed_at

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork and no SIGKILL")


@pytest.fixture(scope="module")
def old(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_old(tiny, tmp_path_factory.mktemp("old") / "old")


@pytest.fixture(scope="module")
def new(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_new(tiny, tmp_path_factory.mktemp("new") / "new")


@pytest.fixture(autouse=True)
def _without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


def _killed(begin: Callable[[Path], object], action: Callable[[Path], object], root: Path) -> Iterator[Path]:
    """Yield a folder for each call before which a write was killed, and the one of the write that was not."""
    number, killed = 0, True
    while killed:
        number += 1
        folder = root / str(number) / "model"
        begin(folder)
        killed = killed_at(number, lambda folder=folder: action(folder))
        yield folder


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_export_over_an_artifact(old: Path, new: Path, tmp_path: Path) -> None:
    """Some forty forks."""
    states = []
    for folder in _killed(lambda folder: shutil.copytree(old, folder), lambda folder: write(new, folder), tmp_path):
        states.append(state_of(folder))
        write(new, folder)
        assert state_of(folder) == "new"
        assert _names(folder) == _names(new), "nothing of the killed one is left"
    assert states == sorted(states, reverse=True), "the switch is one call, and there is no way back"
    assert states.count("old") > 10
    assert states.count("new") > 10


def test_a_first_export(new: Path, tmp_path: Path) -> None:
    states = []
    for folder in _killed(lambda folder: folder.mkdir(parents=True), lambda folder: write(new, folder), tmp_path):
        try:
            states.append(state_of(folder))
        except ArtifactError as error:
            states.append("none" if "no such file" in str(error) else str(error))
    assert states == sorted(states, reverse=True)
    assert set(states) == {"none", "new"}


def test_the_completion_of_what_was_killed(old: Path, new: Path, tmp_path: Path) -> None:
    """A model that was killed behind the switch is killed again while it is completed."""

    def killed_behind_the_switch(folder: Path) -> None:
        for beginning in _killed(
            lambda place: shutil.copytree(old, place), lambda place: write(new, place), tmp_path / "begun"
        ):
            if state_of(beginning) == "new":
                shutil.copytree(beginning, folder, dirs_exist_ok=True)
                shutil.rmtree(tmp_path / "begun")
                return

    begun = tmp_path / "killed"
    killed_behind_the_switch(begun)
    completed = list(_killed(lambda folder: shutil.copytree(begun, folder), complete_commit, tmp_path))
    assert len(completed) > 10
    assert {state_of(folder) for folder in completed} == {"new"}
    assert _names(completed[-1]) == _names(new)


def test_a_benchmark(old: Path, tmp_path: Path) -> None:
    """The figures and the section of the report are of one benchmark; drawing takes a second."""

    def measured(folder: Path) -> float:
        section = (folder / REPORT_FILE).read_text(encoding="utf-8").partition(BEGIN)[2]
        shown = re.search(r"<td>(\d\.\d+)</td>", section)
        kept = float(read_json(folder / BENCHMARK_FILE)["rows"][0]["p50_latency_ms"])
        assert shown is not None
        assert kept == float(shown[1])
        return kept

    def begin(folder: Path) -> None:
        shutil.copytree(old, folder)
        record(made(row("fp32", 0.123), path=folder))

    seen = []
    for folder in _killed(begin, lambda folder: record(made(row("fp32", 0.456), path=folder)), tmp_path):
        complete_commit(folder)
        seen.append(measured(folder))
    assert seen == sorted(seen)
    assert set(seen) == {0.123, 0.456}


def test_a_bundle(old: Path, tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        with new_folder(folder) as scratch:
            shutil.copytree(old, scratch / "inside")
            (scratch / "README.md").write_text("whole")

    kinds = set()
    for folder in _killed(lambda folder: folder.parent.mkdir(), make, tmp_path):
        kinds.add(tuple(sorted(_names(folder))) if folder.exists() else ())
        shutil.rmtree(folder, ignore_errors=True)
        make(folder)
        assert _names(folder.parent) == {"model"}, "nothing of the killed one is left"
    assert kinds == {(), ("README.md", "inside")}
