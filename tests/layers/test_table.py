from __future__ import annotations

import pytest

from tests.layers.running import REFUSED, VERIFIED, Verdict
from tests.layers.table import table_of
from tests.layers.verdicts import read_verdicts
from tests.pages import LAYERS, read_between

pytestmark = pytest.mark.train
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


def test_the_table_of_the_page_is_that_of_the_verdicts() -> None:
    assert read_between(LAYERS, "layers") == table_of(read_verdicts())
