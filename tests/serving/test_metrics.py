"""Figures for Prometheus."""

from __future__ import annotations

import re

from tests.serving.running import Server
from tests.serving.test_lifecycle import body

NAMES = (
    "nv_inference_request_success",
    "nv_inference_request_failure",
    "nv_inference_count",
    "nv_inference_exec_count",
    "nv_inference_request_duration_us",
    "nv_inference_queue_duration_us",
    "nv_inference_compute_infer_duration_us",
)


def figures(server: Server) -> dict[str, float]:
    text = server.ask("/metrics").body.decode()
    found = re.findall(r'^(\w+){model="colours",(?:reason="\w+",)?version="1"} (\S+)$', text, re.M)
    return {name.removesuffix("_total"): float(number) for name, number in found}


def test_requests_are_counted(server: Server) -> None:
    before = figures(server)
    for _ in range(3):
        assert server.ask("/v2/models/colours/infer", body()).status == 200
    after = figures(server)
    assert set(NAMES) <= set(after)
    assert after["nv_inference_request_success"] - before["nv_inference_request_success"] == 3
    assert after["nv_inference_count"] - before["nv_inference_count"] == 3
    assert 1 <= after["nv_inference_exec_count"] - before["nv_inference_exec_count"] <= 3
    spent = after["nv_inference_request_duration_us"] - before["nv_inference_request_duration_us"]
    computed = after["nv_inference_compute_infer_duration_us"] - before["nv_inference_compute_infer_duration_us"]
    assert 0 < computed <= spent
    assert after["nv_inference_pending_request_count"] == 0


def test_figures_have_prometheus_form(server: Server) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    answer = server.ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family.type for family in text_string_to_metric_families(answer.body.decode())}
    assert families["nv_inference_request_success"] == "counter"
    assert families["nv_inference_pending_request_count"] == "gauge"
