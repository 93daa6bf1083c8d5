"""What a search says of what it found: its sentence, its record, its warning, and its section of the report."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from types import SimpleNamespace

import pytest

from edgeconv.formatting import format_size
from tests.conversion.int8.search.made_up_network import LAYERS, MadeUpNetwork


def test_a_layer_in_float_says_what_it_saves_and_costs() -> None:
    (cost,) = MadeUpNetwork({"a": 0.7}).search().layers
    assert (cost.layer, cost.sqnr_db, cost.bytes_added, cost.us_added) == ("a", 10.0, 100, 7.0)
    assert cost.drop_saved == pytest.approx(0.7)
    reasons = MadeUpNetwork({"a": 0.7}).search().float_layers
    assert reasons == {"a": "left in float to keep accuracy: int8 would lose 0.70 points more"}


def test_where_not_even_float_holds_the_least_bad_is_given_and_said() -> None:
    found = MadeUpNetwork({"a": 1.0}, floor=0.4).search()
    assert not found.holds
    assert tuple(found.float_layers) == ("a",)
    assert found.chosen.judgement.drop == pytest.approx(0.4)
    assert "None of" in found.sentence
    assert "loses 0.40 points of the 0.1 allowed" in found.sentence
    assert max(len(step.float_layers) for step in found.steps) == len(LAYERS)


def test_the_record_is_json_and_whole() -> None:
    found = MadeUpNetwork({"a": 0.7}).search()
    record = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert record["steps"][record["chosen"]]["float_layers"] == ["a"]
    assert record["steps"][0] == {
        "what": "minmax",
        "aim": "ranges",
        "settings": {"ranges": "minmax", "equalized": False, "corrected": False},
        "float_layers": [],
        "returned": None,
        "drop": 0.7,
        "size_bytes": 1000,
        "latency_us": 50.0,
        "low": 0.7,
        "high": 0.7,
        "count": 0,
        "holds": False,
    }
    assert record["layers"][0]["layer"] == "a"
    assert record["ranking"][0] == {"layer": "a", "sqnr_db": 10.0}


def test_int8_that_is_no_smaller_or_no_faster_says_what_made_it_so() -> None:
    found = MadeUpNetwork({"a": 0.7, "c": 0.3}).search()
    assert replace(found, fp32=(4000, 900.0)).warning == ""
    assert "warning" not in replace(found, fp32=(4000, 900.0)).as_dict()
    worse = replace(found, fp32=(1200, 64.0))
    assert worse.warning.startswith(
        "int8 is not smaller than fp32, 1,200 bytes beside 1,200, and not faster here, 64 us"
    )
    assert "2 layers are in float: a (+100 bytes, +7 us, saves 0.70 points), c (+100 bytes" in worse.warning
    assert "Plain int8 would lose 1.00 points with 1,000 bytes: `--max-drop 1` allows it." in worse.warning
    assert worse.as_dict()["warning"] == worse.warning
    small = replace(MadeUpNetwork({}).search(), fp32=(900, None))
    assert small.warning.endswith("the network is small, or its operators have no int8.")


def test_the_section_of_the_report_says_what_was_found() -> None:
    jinja2 = pytest.importorskip("jinja2", reason="the report needs the extra `train`")
    source = files("edgeconv.parity").joinpath("int8_search.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["size"] = format_size
    for world in (
        MadeUpNetwork({"a": 0.7, "c": 0.3}),
        MadeUpNetwork({"a": 0.05}),
        MadeUpNetwork({"a": 1.0}, floor=0.4),
    ):
        found = world.search()
        ledger = SimpleNamespace(int8_search=found.as_dict(), rows=[SimpleNamespace(accuracy=0.99)])
        page = environment.from_string(source).render(ledger=ledger)
        assert found.sentence in page
        assert page.count("holds</td>") == sum(step.holds for step in found.steps)
        assert page.count(">chosen<") == 1
        assert ("Layers in float" in page) == bool(found.layers)
