from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pages import DOCS

pytestmark = pytest.mark.train


def test_the_figures_are_what_the_reference_model_gives(tmp_path: Path) -> None:
    """Draws eight figures: about four seconds."""
    import draw_figures

    draw_figures.main(tmp_path)
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    for drawn in sorted(tmp_path.iterdir()):
        kept = DOCS / "images" / drawn.name
        new, old = (np.asarray(Image.open(file).convert("L"), int) for file in (drawn, kept))
        assert new.shape == old.shape, f"{drawn.name}: run `make figures`"
        # Below what any other digit, kernel or number would change; above what the rounding of another processor does.
        assert np.abs(new - old).mean() < 0.1, f"{drawn.name}: run `make figures`"
        assert kept.stat().st_size < 100_000, drawn.name
        assert f"images/{drawn.name}" in pages, f"{drawn.name} is on no page"
