from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from edgeconv.training.curves import draw_curves

pytestmark = pytest.mark.train


def history(epochs: int) -> list[dict[str, float]]:
    return [
        {"epoch": n, "loss": 1 / n, "accuracy": 1 - 0.5 / n, "test_loss": 0.9 / n, "test_accuracy": 1 - 0.4 / n}
        for n in range(1, epochs + 1)
    ]


@pytest.mark.parametrize("epochs", [1, 2, 40])
def test_curves_are_a_picture(tmp_path: Path, epochs: int) -> None:
    """Takes seconds the first time: matplotlib looks for fonts."""
    draw_curves(history(epochs), "bars", tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (1500, 630)
        colors = {color for _, color in picture.convert("RGB").getcolors(1 << 20) or []}
    assert {(0x44, 0x77, 0xAA), (0xEE, 0x66, 0x77)} <= colors


def test_equal_histories_are_equal_pictures(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_curves(history(3), "bars", tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
