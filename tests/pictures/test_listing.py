from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from edgeconv.errors import DatasetError
from edgeconv.pictures.listing import find_pictures, visible_entries

SEEN = ("a.JPG", "b/1.png", "b/2/x.webp", "c.tif")
UNSEEN = ("._a.JPG", ".d/1.png", "__MACOSX/b/1.png", "b/@eaDir/1.png", "b/Thumbs.db", "notes.txt")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (*SEEN, *UNSEEN):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def _found(tree: Path, place: str) -> list[str]:
    return [Path(path).relative_to(tree).as_posix() for path in find_pictures(f"{tree}/{place}")]


def test_a_folder_gives_its_pictures_at_any_depth_in_order(tree: Path) -> None:
    assert _found(tree, "") == list(SEEN)
    assert [path.name for path in visible_entries(tree / "b")] == ["1.png", "2"]


@pytest.mark.parametrize(
    ("place", "found"), [(".", list(SEEN)), ("./b/", ["b/1.png", "b/2/x.webp"]), ("b//2", ["b/2/x.webp"])]
)
def test_paths_are_written_in_their_short_form(
    tree: Path, monkeypatch: pytest.MonkeyPatch, place: str, found: list[str]
) -> None:
    monkeypatch.chdir(tree)
    assert list(find_pictures(place)) == [str(Path(path)) for path in found]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/1.png", ["b/1.png"]),
        ("*", [*SEEN, "notes.txt"]),
        ("?", ["b/1.png", "b/2/x.webp"]),
        ("__MACOSX/b/*.png", ["__MACOSX/b/1.png"]),
        ("*.none", ["*.none"]),
    ],
)
def test_a_pattern_gives_what_matches(tree: Path, pattern: str, found: list[str]) -> None:
    """What was named by its name is taken."""
    assert _found(tree, pattern) == found


def test_a_file_whose_name_is_a_pattern_is_that_file(tree: Path) -> None:
    (tree / "[ab].png").write_bytes(b"x")
    assert _found(tree, "[ab].png") == ["[ab].png"]


def test_links_to_folders_are_followed_but_not_in_circles(tree: Path) -> None:
    (tree / "b" / "again").symlink_to(tree)
    (tree / "d").symlink_to(tree / "b" / "2")
    assert _found(tree, "") == [*SEEN, "d/x.webp"]


def test_a_folder_that_is_none(tree: Path) -> None:
    with pytest.raises(DatasetError, match=r"notes\.txt: a readable folder is required\. Received: Not a directory"):
        visible_entries(tree / "notes.txt")


@pytest.fixture
def closed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a tree whose folder `b` may not be read, whoever asks."""

    def refusing(call: Any) -> Any:
        def refused(place: Any) -> Any:
            if Path(place) == tree / "b":
                raise PermissionError(13, "Permission denied", str(place))
            return call(place)

        return refused

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    return tree


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("", ["a.JPG", "b", "c.tif"]),
        ("b", ["b"]),
        ("*", ["a.JPG", "b", "c.tif", "notes.txt"]),
        ("**/*.png", ["b"]),
        ("*/*.png", ["b"]),
        ("b/*.png", ["b"]),
        ("?/2/*.webp", ["b/2/x.webp"]),
    ],
)
def test_a_folder_that_cannot_be_read_is_not_dropped_in_silence(closed: Path, place: str, found: list[str]) -> None:
    assert _found(closed, place) == found


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes with names")
def test_what_is_no_file_is_left_to_the_reading(tree: Path) -> None:
    os.mkfifo(tree / "b" / "pipe.png")
    (tree / "b" / "nowhere.png").symlink_to(tree / "absent.png")
    assert _found(tree, "b") == ["b/1.png", "b/2/x.webp", "b/nowhere.png", "b/pipe.png"]


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "*" + "x" * 300, "\0.png"])
def test_a_name_that_no_file_can_have_is_that_name(name: str) -> None:
    assert list(find_pictures(name)) == [name]


def test_endings_that_are_asked_for_are_found_at_any_depth(tree: Path) -> None:
    assert [Path(path).name for path in find_pictures(str(tree), {".txt", ".webp"})] == ["x.webp", "notes.txt"]
    assert [Path(path).name for path in find_pictures(f"{tree}/?", {".webp"})] == ["x.webp"]
