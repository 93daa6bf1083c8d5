from __future__ import annotations

import pytest

from edgeconv.formatting import difference, facts, latency, percent, size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(0.9941), "99.41\u202f%"),
        (percent(None), "–"),  # noqa: RUF001 - the dash is what is shown
        (size(999), "999\u202fbytes"),
        (size(375_731), "376\u202fkB"),
        (size(999_900), "1\u202fMB"),
        (size(1_234_567_890), "1.23\u202fGB"),
        (latency(0.04917), "0.0492\u202fms"),
        (latency(1234.5), "1234\u202fms"),
        (difference(4.17e-7), "4.2e-07"),
        (difference(0.0), "0"),
        (difference(1e9), "not a number"),
    ],
)
def test_figures_are_written_for_people(text, expected):
    assert text == expected


def test_facts_are_the_leaves_of_a_record():
    record = {"a": {"b": 1, "c": {}}, "d": None, "e": False, "f": [], "g": [{"h": "é"}], "i": "text"}
    assert list(facts(record)) == [("a.b", "1"), ("e", "false"), ("g", '[{"h": "é"}]'), ("i", "text")]
