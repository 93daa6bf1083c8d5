from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeconv.artifact import newest, read_json, read_regular, replacing, sha256_of, write_json
from edgeconv.errors import ArtifactError


def test_replacing_gives_the_name_to_what_was_written(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "model.onnx"
    with replacing(target) as sibling:
        assert sibling.suffix == ".onnx"
        sibling.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["model.onnx"]


def test_replacing_leaves_what_was_there_when_the_block_raises(tmp_path: Path) -> None:
    target = tmp_path / "manifest.json"
    target.write_text("old")

    def interrupted() -> None:
        with replacing(target) as sibling:
            sibling.write_text("half a fi")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        interrupted()
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(os.name != "posix", reason="modes of files are a POSIX idea")
def test_replacing_makes_files_that_others_can_read_as_open_does(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with replacing(tmp_path / "written") as sibling:
        sibling.write_text("")
    assert (tmp_path / "written").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_comes_back_as_it_went(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"label": "ä", "n": [1, 2.5, None]})
    assert read_json(tmp_path / "a.json") == {"label": "ä", "n": [1, 2.5, None]}


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "no such file"), ("{", "readable JSON"), ("[]", "Received: list"), ("[" * 100_000, "recursion depth")],
)
def test_damaged_json_is_an_artifact_error(tmp_path: Path, text: str | None, reason: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ArtifactError, match=reason):
        read_json(tmp_path / "manifest.json")


def test_sha256_is_the_one_of_the_standard(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_newest_is_by_the_time_of_the_file_and_then_by_name(tmp_path: Path) -> None:
    assert newest("manifest.json", tmp_path) is None
    for name, time in (("a", 200), ("b", 100), ("c", 200)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
        os.utime(tmp_path / name / "manifest.json", (time, time))
    assert newest("manifest.json", tmp_path) == tmp_path / "c"
    assert newest("model.keras", tmp_path) is None


def test_a_regular_file_is_read_up_to_a_length(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"four")
    assert read_regular(tmp_path / "file", 4) == b"four"
    with pytest.raises(OSError, match="0 MB, more than 0 MB"):
        read_regular(tmp_path / "file", 3)
    with pytest.raises(FileNotFoundError, match="absent"):
        read_regular(tmp_path / "absent")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes with names")
def test_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    (tmp_path / "link").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="a pipe or a device"):
        read_regular(tmp_path / "link")
    with pytest.raises(ArtifactError, match=r"must be readable JSON\. Received: a pipe or a device\. Export"):
        read_json(tmp_path / "manifest.json")
