from __future__ import annotations

import pytest

from edgeconv.formatting import NARROW, difference, facts, format_size, latency, percent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(0.9941), "99.41\u202f%"),
        (percent(None), "–"),  # noqa: RUF001 - the dash is what is shown
        (format_size(999), "999 bytes"),
        (format_size(375_731), "376 kB"),
        (format_size(999_900), "1 MB"),
        (format_size(1_234_567_890), "1.23 GB"),
        (format_size(4 * 10**12), "4 TB"),
        (format_size(10**400), "more than 1,000,000 TB"),
        (format_size(375_731, NARROW), "376\u202fkB"),
        (latency(0.04917), "0.0492\u202fms"),
        (latency(1234.5), "1,234\u202fms"),
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
