"""The page says what the verdicts say, and no file of Keras 2 answers otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from tests.legacy.judging import difference
from tests.legacy.table import table_of
from tests.legacy.verdicts import FAILED, LIE, Verdict, read_verdicts
from tests.pages import LEGACY, read_between


def test_the_page_has_the_kept_verdicts() -> None:
    assert read_between(LEGACY, "legacy") == table_of(read_verdicts())


def test_no_file_answers_otherwise() -> None:
    outcomes = {(name, kind): v.outcome for name, kinds in read_verdicts().items() for kind, v in kinds.items()}
    assert outcomes
    assert not [key for key, outcome in outcomes.items() if outcome in {LIE, FAILED}]


def test_the_table_counts() -> None:
    verdicts = {
        "Dense: plain": {"h5": Verdict("Keras 3"), "keras": Verdict("tf-keras"), "savedmodel": Verdict("signature")},
        "Dense: odd": {"h5": Verdict("refused", "`m` must. Received: a | b. Do."), "keras": Verdict("lie", "by 0.5")},
        "applications.Net": {"h5": Verdict("Keras 3")},
    }
    table = table_of(verdicts)
    assert "2 models around 1 layers and activations; 1 of `keras.applications`, with random weights" in table
    assert "| `.h5` | of layers | 2 | 1 | 0 | 1 | 0 |" in table
    assert "| `.h5` | of `keras.applications` | 1 | 1 | 0 | 0 | 0 |" in table
    assert "| `.keras` | of layers | 2 | 0 | 1 | 0 | 1 |" in table
    assert "| `Net` | Keras 3 | not written | not written |" in table
    assert r"| `Dense: odd` | `.h5` | a \| b |" in table


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([[0.0, 1.0]], ""),
        ([[0.0, 1.00005]], ""),
        ([[0.0, 1.01]], "differs from Keras 2 by 0.01"),
        ([[0.0]], r"is (1, 1), not (1, 2)"),
    ],
)
def test_a_difference_is_told(given: list[list[float]], says: str) -> None:
    told = difference([np.array([[0.0, 1.0]], np.float32)], [np.array(given, np.float32)])
    assert says in told
    assert bool(told) == bool(says)


def test_half_precision_has_a_tolerance_of_its_own() -> None:
    wanted, given = [np.array([[0.0, 1.0]], np.float16)], [np.array([[0.0, 1.01]], np.float32)]
    assert difference(wanted, given) == ""
    assert "by 0.05" in difference(wanted, [np.array([[0.0, 1.05]], np.float32)])
