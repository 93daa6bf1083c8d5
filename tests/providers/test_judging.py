from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pages import PROVIDERS, read_between
from tests.providers.__main__ import RESULTS
from tests.providers.environments import ENVIRONMENTS
from tests.providers.judging import problems
from tests.providers.table import render

WEBGPU = ENVIRONMENTS["webgpu"]


def _found(**changes: Any) -> dict[str, Any]:
    row = {"images": 16, "flips": 0, "max_abs_dp": 2e-7, "ms_an_image": 20.0}
    refused = {"error": "WebGpu requires a float model. Received: int8."}
    found = {"state": "works", "installation": "onnxruntime 1.32.0", "packages": {}}
    return found | {"rows": {"fp32": row, "int8": refused, "e2e": refused}} | changes


def test_what_is_expected() -> None:
    assert problems(WEBGPU, _found()) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"state": "broken"}, "webgpu is broken, expected works"),
        ({"rows": _found()["rows"] | {"fp32": {"images": 16, "flips": 1, "max_abs_dp": 1e-7}}}, "fp32 must hold: "),
        ({"rows": _found()["rows"] | {"fp32": {"images": 16, "flips": 0, "max_abs_dp": float("nan")}}}, "fp32 must"),
        ({"rows": _found()["rows"] | {"int8": {"images": 16, "flips": 0}}}, "int8 must be refused with 'requires a"),
        ({"error": "no such module"}, "nothing ran: no such module"),
    ],
)
def test_surprises(changes: dict[str, Any], problem: str) -> None:
    (found,) = problems(WEBGPU, _found(**changes))
    assert found.startswith(problem)


def test_int8_of_many_images_may_differ_in_a_few() -> None:
    environment = ENVIRONMENTS["openvino"]
    for images, flips, good in ((1000, 2, True), (1000, 3, False), (16, 1, False)):
        row = {"images": images, "flips": flips, "max_abs_dp": 1e-3}
        fp32 = {"images": images, "flips": 0, "max_abs_dp": 1e-7}
        refused = {"error": "OpenVINO must run the whole model."}
        found = problems(environment, _found(rows={"fp32": fp32, "int8": row, "e2e": refused}))
        assert (not found) is good


def test_two_wheels_must_be_told_of() -> None:
    both = ENVIRONMENTS["both-wheels"]
    assert problems(both, _found(state="broken", rows={})) == ["the installation is told as 'onnxruntime 1.32.0'"]


def test_the_stored_results_are_as_expected_and_on_the_page() -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert list(results["environments"]) == list(ENVIRONMENTS)
    for name, found in results["environments"].items():
        assert problems(ENVIRONMENTS[name], found) == []
    assert read_between(PROVIDERS, "providers") == render(results)
