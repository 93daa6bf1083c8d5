"""About a quarter of a second a case, and several hundred of them: some minutes in all."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tests.layers import cases  # noqa: F401 - registers every case.
from tests.layers.case import CASES, Case
from tests.layers.running import FAILED, REFUSED, VERIFIED, Verdict, judge
from tests.layers.verdicts import read_verdicts

pytestmark = pytest.mark.train
KEPT = read_verdicts()


@pytest.fixture(scope="module", autouse=True)
def _frozen_garbage() -> None:
    """Spare the collector the million objects of TensorFlow, also where the first case is what imports it."""
    import keras  # noqa: F401

    gc.collect()
    gc.freeze()


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_a_layer_is_verified_or_refused_by_name(case: Case, tmp_path: Path) -> None:
    verdict = judge(case, tmp_path)
    assert verdict.outcome != FAILED, verdict.reason
    kept = KEPT.get(case.name, Verdict("never judged"))
    assert verdict.outcome == kept.outcome, (
        f"it was {kept.outcome}, and is {verdict.outcome} now. {verdict.reason} "
        f"If that is meant, run `python -m tests.layers --only '{case.name}'`."
    )


def test_no_verdict_is_kept_of_a_case_that_is_gone() -> None:
    assert sorted(set(KEPT) - set(CASES)) == []


def test_most_cases_are_verified() -> None:
    """A refusal is always right, and worth nothing: an exporter that refuses everything must not pass."""
    outcomes = [verdict.outcome for verdict in KEPT.values()]
    assert outcomes.count(VERIFIED) > 5 * outcomes.count(REFUSED)
