from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pages import PROVIDERS, read_between
from tests.providers.__main__ import RESULTS
from tests.providers.asking import summary
from tests.providers.environments import ENVIRONMENTS
from tests.providers.judging import problems
from tests.providers.table import render

WEBGPU = ENVIRONMENTS["webgpu"]
REFUSED = {"int8": "WebGpu requires a float model. Received: int8.", "e2e": "WebGpu requires a float model."}


def _row(stage: str, **changes: Any) -> dict[str, Any]:
    return {"stage": stage, "count": 16, "flips": 0, "flips_beside_cpu": 0, "max_abs_dp": 2e-7} | changes


def _gates(*stages: str, passed: bool = True) -> list[dict[str, Any]]:
    return [{"stage": stage, "name": "flips", "passed": passed} for stage in stages]


def _found(**changes: Any) -> dict[str, Any]:
    found = {"state": "works", "installation": "onnxruntime 1.32.0", "exit_code": 0, "refused": REFUSED}
    stage = "fp32 on webgpu"
    return found | {"rows": [_row(stage)], "gates": _gates(stage)} | changes


def test_what_is_expected() -> None:
    assert problems(WEBGPU, _found()) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"state": "broken"}, "webgpu is broken, expected works"),
        ({"exit_code": 3}, "evaluate must exit with 0, not with 3"),
        ({"rows": [_row("fp32")]}, "fp32 must hold: None"),
        ({"rows": [_row("fp32 on webgpu", flips_beside_cpu=1)]}, "fp32 must hold: {"),
        ({"rows": [_row("fp32 on webgpu", max_abs_dp=float("nan"))]}, "fp32 must hold: {"),
        ({"gates": _gates("fp32 on webgpu", passed=False)}, "fp32 must hold: {"),
        ({"gates": _gates("fp32")}, "fp32 must hold: {"),
        ({"refused": {"e2e": REFUSED["e2e"]}}, "int8 must be refused with 'requires a float model': None"),
        ({"rows": [_row("fp32 on webgpu"), _row("int8 on webgpu")]}, "int8 must be refused with 'requires a float"),
    ],
)
def test_surprises(changes: dict[str, Any], problem: str) -> None:
    (found,) = problems(WEBGPU, _found(**changes))
    assert found.startswith(problem)


def test_int8_of_many_images_may_differ_in_a_few() -> None:
    environment = ENVIRONMENTS["openvino"]
    stages = ("fp32 on openvino", "int8 on openvino")
    for count, flips, good in ((1000, 2, True), (1000, 3, False), (16, 1, False)):
        rows = [_row(stages[0]), _row(stages[1], count=count, flips_beside_cpu=flips, max_abs_dp=1e-3)]
        refused = {"e2e": "OpenVINO must run the whole model."}
        assert (not problems(environment, _found(rows=rows, gates=_gates(*stages), refused=refused))) is good


def test_two_wheels_must_be_told_of() -> None:
    both = ENVIRONMENTS["both-wheels"]
    assert problems(both, _found(state="broken", rows=[])) == ["the installation is told as 'onnxruntime 1.32.0'"]


def test_a_row_tells_how_it_differs_from_the_cpu() -> None:
    row = {"provider": "", "count": 9, "accuracy": 1.0, "agreement": 1.0, "max_abs_dp": 0.1, "sqnr_db": 9.0}
    flips = {"int8": {3: 5, 4: 1}, "int8 on qnn": {3: 6, 4: 1, 7: 0}}
    rows = [
        {"stage": stage, **row, "p50_latency_ms": 1.0, "flips": [{"index": i, "answer": a} for i, a in own.items()]}
        for stage, own in flips.items()
    ]
    on_cpu, on_npu = summary({"rows": rows, "gates": []})["rows"]
    assert (on_cpu["flips"], on_cpu["flips_beside_cpu"]) == (2, 0)
    assert (on_npu["flips"], on_npu["flips_beside_cpu"]) == (3, 2)


def test_the_stored_results_are_as_expected_and_on_the_page() -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert list(results["environments"]) == list(ENVIRONMENTS)
    for name, found in results["environments"].items():
        assert problems(ENVIRONMENTS[name], found) == []
    assert read_between(PROVIDERS, "providers") == render(results)
