from __future__ import annotations

from pathlib import Path

import pytest

from edgeconv.datasets.labels import read_labels
from edgeconv.errors import ConfigError

NAMES = ("ameise", "bär", "cat “Zoë”")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_encoding_of_a_file_does_not_matter(tmp_path: Path, encoding: str, end: str) -> None:
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
    (tmp_path / "labels.txt").write_bytes((mark + end.join(NAMES) + end * 2).encode(encoding))
    assert read_labels(str(tmp_path / "labels.txt")) == NAMES


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("0 Class 1\n1 Class 2\n", ("Class 1", "Class 2")),
        ("1  bee\n0  ant\n", ("ant", "bee")),
        ("0: ant\n1: bee", ("ant", "bee")),
        ("0\tant\n1\tbee", ("ant", "bee")),
        ("0\n1\n2\n", ("0", "1", "2")),
        ("7 up\n0 cola\n", ("7 up", "0 cola")),
        ("0 ant\nbee\n", ("0 ant", "bee")),
        ("0 ant\n0 bee\n", ("0 ant", "0 bee")),
        ("ant, bee\n", ("ant", "bee")),
        ("", ()),
    ],
)
def test_numbers_in_front_are_positions_if_they_count_the_lines(
    tmp_path: Path, text: str, names: tuple[str, ...]
) -> None:
    """Teachable Machine writes them."""
    (tmp_path / "labels.txt").write_text(text)
    assert read_labels(str(tmp_path / "labels.txt")) == names


def test_a_long_list_is_no_path() -> None:
    assert len(read_labels(",".join(f"label {number}" for number in range(1000)))) == 1000


def test_a_list_is_taken_as_it_stands() -> None:
    assert read_labels("ant, 1 bee,,c.txt") == ("ant", "1 bee", "c.txt")
    assert read_labels("ant") == ("ant",)


@pytest.mark.parametrize("given", ["labels.txt", "data/labels"])
def test_a_file_that_is_not_there(given: str) -> None:
    with pytest.raises(ConfigError, match=rf"^`labels` must be .* Received: '{given}', and no such file\. Check"):
        read_labels(given)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(b"\x89PNG\r\n\0\0")
    with pytest.raises(ConfigError, match=r"labels\.txt`, bytes that are no text\. Save it as UTF-8"):
        read_labels(str(tmp_path / "labels.txt"))
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfea")
    with pytest.raises(ConfigError, match=r"labels\.txt`, .*truncated data\. Save it as UTF-8"):
        read_labels(str(tmp_path / "labels.txt"))


def test_a_number_of_thousands_of_digits_is_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(f"1 ant\n{'9' * 5000} bee\n")
    assert read_labels(str(tmp_path / "labels.txt"))[0] == "1 ant"
