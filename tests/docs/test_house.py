from __future__ import annotations

from collections import Counter

import pytest

import draw_house
from layered import lay_out
from tests.pages import read_between


@pytest.mark.parametrize("name", ["house.svg", "conversion.svg"])
def test_the_picture_of_the_house_is_what_the_imports_give(name: str) -> None:
    committed = (draw_house.IMAGES / name).read_text(encoding="utf-8")
    assert committed == draw_house.pictures()[name], "run `make house`"


@pytest.mark.parametrize("name", ["rooms", "conversion"])
def test_the_tables_have_the_sentences_of_the_packages(name: str) -> None:
    assert read_between(draw_house.PAGE, name) == draw_house.tables()[name], "run `make house`"


def test_a_user_stands_above_what_it_uses_and_long_arrows_pass_beside_the_boxes() -> None:
    layout = lay_out({("a", "b"): 1, ("b", "c"): 1, ("a", "c"): 1, ("d", "c"): 1}, 100, 10, 20)
    assert layout.layers == (("c",), ("b", "d"), ("a",))
    assert layout.upward == set()
    (slot,) = layout.routes["a", "c"]
    assert all(abs(slot - layout.centers[name]) >= 100 / 2 + 10 / 2 + 20 for name in ("b", "d"))
    assert abs(layout.centers["b"] - layout.centers["d"]) >= 120


def test_of_a_cycle_the_lightest_import_points_up() -> None:
    layout = lay_out({("a", "b"): 3, ("b", "c"): 2, ("c", "a"): 1}, 100, 10, 20)
    assert layout.layers == (("c",), ("b",), ("a",))
    assert layout.upward == {("a", "c")}
    assert layout.routes.keys() == {("a", "b"), ("b", "c"), ("a", "c")}


def test_what_a_longer_path_says_is_left_out_and_nothing_else() -> None:
    edges = Counter({("a", "b"): 1, ("b", "a"): 1, ("a", "c"): 1, ("b", "c"): 1})
    kept = set(draw_house._without_implied(edges))
    assert {("a", "b"), ("b", "a")} < kept
    assert len(kept & {("a", "c"), ("b", "c")}) == 1
