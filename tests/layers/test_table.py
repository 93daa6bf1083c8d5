from __future__ import annotations

from pathlib import Path

import pytest

from tests.layers.running import REFUSED, VERIFIED, Verdict
from tests.layers.table import between_markers, table_of, write_table
from tests.layers.verdicts import read_verdicts

pytestmark = pytest.mark.train
README = Path(__file__).parents[2] / "README.md"
REASON = (
    "`model.keras` must consist of operations that ONNX has. Received: RFFT in layer `a` (Sound). Replace the layer."
)
BRIEF = "`model.keras`, layer `b`: an image must have a known height. Received: (None, None). Give the input a size."
VERDICTS = {
    "Dense: plain": Verdict(VERIFIED),
    "Dense: big": Verdict(VERIFIED),
    "Sound: plain": Verdict(REFUSED, REASON),
    "Half: plain": Verdict(VERIFIED),
    "Half: odd": Verdict(REFUSED, REASON),
    "Size: plain": Verdict(REFUSED, BRIEF),
    "activations.relu: plain": Verdict(VERIFIED),
}


def test_the_table_counts_and_gives_reasons() -> None:
    table = table_of(VERDICTS).splitlines()
    assert table[0].startswith("4 layers and 1 activations of Keras in 7 modes: 4 verified, 3 refused by name")
    assert "| `Dense` | 2 | 0 |  |" in table
    assert "| `Sound` | 0 | 1 | RFFT in layer `a` (Sound) |" in table
    assert "| `Half` | 1 | 1 | `odd`: RFFT in layer `a` (Sound) |" in table
    assert "| `Size` | 0 | 1 | an image must have a known height |" in table


def test_the_table_replaces_what_stands_between_the_markers(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- layers:begin -->\nold\n<!-- layers:end -->\nafter\n")
    write_table(readme, "new")
    assert readme.read_text() == "before\n<!-- layers:begin -->\nnew\n<!-- layers:end -->\nafter\n"


def test_a_readme_without_markers_is_refused(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="layers:begin"):
        write_table(readme, "new")


def test_the_table_of_the_readme_is_that_of_the_verdicts() -> None:
    assert between_markers(README.read_text(encoding="utf-8")) == table_of(read_verdicts())
