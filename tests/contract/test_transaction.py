from __future__ import annotations

import os
import re
import sys
import threading
from pathlib import Path

import pytest

from edgeconv import transaction as module
from edgeconv.artifact import COMMIT, committed, newest, read_bytes, read_json, status_of
from edgeconv.errors import ConfigError
from edgeconv.transaction import ABANDONED_S, complete_commit, new_folder, require_writable, transaction
from tests.contract.test_rooms import ROOT, modules


def test_files_appear_at_once_and_an_empty_one_removes_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "exported" / "model"
    folder.mkdir(parents=True)
    (folder / "samples.npz").write_text("old")
    (folder / "notes.txt").write_text("mine")
    with transaction(folder) as scratch:
        (scratch / "model.onnx").write_text("new")
        (scratch / "samples.npz").touch()
        assert {path.name for path in folder.iterdir()} == {"samples.npz", "notes.txt", scratch.name}
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"model.onnx": "new", "notes.txt": "mine"}


def test_a_block_that_raises_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("old")

    def interrupted() -> None:
        with transaction(tmp_path) as scratch:
            (scratch / "model.onnx").write_text("half a fi")
            raise KeyboardInterrupt("stopped")

    with pytest.raises(KeyboardInterrupt, match="stopped"):
        interrupted()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"model.onnx": "old"}


def test_a_folder_in_the_way_is_refused_before_anything_is_switched(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()

    def write() -> None:
        with transaction(tmp_path) as scratch:
            for name in ("model.onnx", "report.html"):
                (scratch / name).write_text("new")

    with pytest.raises(IsADirectoryError, match=r"A folder is where a file is to be written: .*report\.html"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.fixture
def switched(tmp_path: Path) -> Path:
    """Return an artifact that was switched; nothing of it has moved yet."""
    folder = tmp_path / "exported" / "model"
    (folder / COMMIT).mkdir(parents=True)
    for name, old, new in (("a.json", '{"of": "old"}', '{"of": "new"}'), ("gone.txt", "old", "")):
        (folder / name).write_text(old)
        (folder / COMMIT / name).write_text(new)
    return folder


def test_what_is_switched_counts_before_it_is_moved(switched: Path) -> None:
    assert read_json(switched / "a.json") == {"of": "new"}
    assert committed(switched / "a.json").parent.name == COMMIT
    assert status_of(switched / "gone.txt") is None
    assert newest("a.json", switched.parent) == switched
    assert newest("gone.txt", switched.parent) is None
    (switched / "other").write_text("in its place")
    assert read_bytes(switched / "other") == b"in its place"


def test_the_next_write_completes_what_was_switched(switched: Path) -> None:
    with transaction(switched) as scratch:
        assert (switched / "a.json").read_text() == '{"of": "new"}'
        (scratch / "b.json").write_text("{}")
    assert sorted(path.name for path in switched.iterdir()) == ["a.json", "b.json"]
    complete_commit(switched)
    complete_commit(switched / "absent")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks no folders")
def test_scratch_folders_of_the_dead_are_removed(tmp_path: Path) -> None:
    for name in (".export-dead", ".bundle-dead"):
        (tmp_path / name / "deep").mkdir(parents=True)
    with transaction(tmp_path), new_folder(tmp_path / "apart" / "bundle"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {".bundle-dead", "apart"}
    with new_folder(tmp_path / "bundle") as scratch:
        (scratch / "README.md").write_text("")
    assert {path.name for path in tmp_path.iterdir()} == {"apart", "bundle"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks no folders")
def test_writers_wait_for_one_another(tmp_path: Path) -> None:
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait()
        with transaction(tmp_path):
            order.append("second")

    other = threading.Thread(target=second)
    other.start()
    with transaction(tmp_path):
        inside.set()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks no folders")
def test_where_nothing_can_be_locked_only_old_scratch_folders_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    for name in (".export-young", ".export-old"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ".export-old", (0, 0))
    with transaction(tmp_path) as scratch:
        (scratch / "model.onnx").write_text("new")
    assert {path.name for path in tmp_path.iterdir()} == {".export-young", "model.onnx"}
    assert ABANDONED_S > 3600


@pytest.mark.skipif(os.name != "posix", reason="modes of files are a POSIX idea")
def test_modes_are_those_of_what_is_replaced_or_of_a_plain_open(tmp_path: Path) -> None:
    (tmp_path / "old").touch(mode=0o640)
    (tmp_path / "plain").touch()
    (tmp_path / "folder").mkdir()
    with transaction(tmp_path) as scratch:
        assert scratch.stat().st_mode == (tmp_path / "folder").stat().st_mode
        for name in ("old", "fresh"):
            (scratch / name).write_text("new")
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "fresh").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_windows_tries_again_while_a_reader_has_the_file_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []
    replace = Path.replace

    def refused_twice(source: Path, target: Path) -> Path:
        tries.append(target.name)
        if len(tries) < 3:
            raise PermissionError(13, "Access is denied", str(target))
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", refused_twice)
    monkeypatch.setattr(module, "PAUSES_S", (0.0, 0.0, 0.0))
    with transaction(tmp_path) as scratch:
        (scratch / "model.onnx").write_text("new")
    assert tries == ["model.onnx"] * 3
    assert (tmp_path / "model.onnx").read_text() == "new"


def test_a_target_is_checked_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_writable(tmp_path / "deep" / "model")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"Received: `.*file`, which is no folder\. Name another"):
        require_writable(tmp_path / "file" / "model")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ConfigError, match=r"`model` must be .* `\.`, which is a folder that may not be written to"):
        require_writable(Path("model"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_names_are_switched_in_one_home() -> None:
    """A file takes its name in `replacing`, several in `transaction`; nothing else renames."""
    homes = {Path("edgeconv/artifact.py"), Path("edgeconv/transaction.py")}
    for path in modules():
        if path.relative_to(ROOT) not in homes:
            assert not re.search(r"\.rename\(|os\.replace\(|mkdtemp\(", path.read_text(encoding="utf-8")), path
