from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages import read_between, write_between


def test_a_table_goes_between_its_own_markers_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n", encoding="utf-8")
    for _ in range(2):
        write_between(page, "x", "new")
        assert page.read_text(encoding="utf-8") == "a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n"
        assert read_between(page, "x") == "new"


@pytest.mark.parametrize("text", ["a", "<!-- x:begin -->", "<!-- x:end --><!-- x:begin -->"])
def test_a_file_without_markers_is_not_written(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"must have `<!-- x:begin -->` and, below it, `<!-- x:end -->`, once each"):
        write_between(page, "x", "new")
    assert page.read_text(encoding="utf-8") == text
