"""Figures for Prometheus, by the names that Triton gives them."""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from edgeconv.serving.models.served_model import VERSION

CONTENT_TYPE = b"text/plain; version=1.0.0; charset=utf-8; escaping=underscores"

_LABELS = ("model", "version")


class Metrics:
    """What is counted of all models."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(name, words, (*_LABELS, *labels), registry=registry)

        self.success = counter("nv_inference_request_success", "Requests that were answered")
        self.failure = counter("nv_inference_request_failure", "Requests that were refused or failed", "reason")
        self.rows = counter("nv_inference_count", "Rows that were answered")
        self.calls = counter("nv_inference_exec_count", "Calls of the model: batches")
        self.request_us = counter("nv_inference_request_duration_us", "Time of requests from their arrival, in us")
        self.queue_us = counter("nv_inference_queue_duration_us", "Time of requests in the queue, in us")
        self.compute_us = counter("nv_inference_compute_infer_duration_us", "Time of calls of the model, in us")
        self.pending = Gauge(
            "nv_inference_pending_request_count",
            "Requests in the queue",
            _LABELS,
            registry=registry,
            multiprocess_mode="livesum",
        )

    def of(self, model: str) -> ModelMetrics:
        """Return what hears of the requests of one model."""
        return ModelMetrics(self, model)

    def text(self) -> bytes:
        """Return all figures in Prometheus' form, over all processes of the server where there are several."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return bytes(generate_latest(registry))


class ModelMetrics:
    """What is counted of one model: an `Observer`, whose counters are looked up once."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        def of(metric: Any, *more: str) -> Any:
            return metric.labels(model, VERSION, *more)

        self._success, self._rows, self._calls = of(metrics.success), of(metrics.rows), of(metrics.calls)
        self._request_us, self._queue_us = of(metrics.request_us), of(metrics.queue_us)
        self._compute_us, self._pending = of(metrics.compute_us), of(metrics.pending)
        self._failures = {reason: of(metrics.failure, reason) for reason in ("REJECTED", "TIMEOUT", "BACKEND")}

    def batch(self, rows: int, seconds: float) -> None:
        """Hear of a call of the model."""
        self._calls.inc()
        self._rows.inc(rows)
        self._compute_us.inc(seconds * 1e6)

    def requests(self, count: int, queued: float, seconds: float) -> None:
        """Hear of requests that were answered: their times in the queue and in all, added up."""
        self._success.inc(count)
        self._queue_us.inc(queued * 1e6)
        self._request_us.inc(seconds * 1e6)

    def failure(self, reason: str) -> None:
        """Hear of a request that was refused or failed."""
        self._failures[reason].inc()

    def waiting(self, count: int) -> None:
        """Hear how many requests wait."""
        self._pending.set(count)
