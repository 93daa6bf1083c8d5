"""Benchmarks made up for tests of what is drawn and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeconv.benchmarking.machine import Machine
from edgeconv.benchmarking.results import Benchmark, BenchmarkRow
from edgeconv.runtime.processor import Processor

MACHINE = Machine(
    Processor("x86_64", "A <CPU>", ("avx2",), 2), "0123", True, "Linux 6", None, None, {"onnxruntime": "1.20.0"}
)


def row(variant: str, latency_ms: float = 0.1, **changes: Any) -> BenchmarkRow:
    values: dict[str, Any] = {
        "provider": "CPUExecutionProvider",
        "threads": 1,
        "batch": 1,
        "p50_latency_ms": latency_ms,
        "p50_low_ms": 0.95 * latency_ms,
        "p50_high_ms": 1.05 * latency_ms,
        "p95_latency_ms": 2 * latency_ms,
        "p99_latency_ms": 3 * latency_ms,
        "images_per_second": 1000 / latency_ms,
        "calls": 100,
        "load_ms": 3.0,
        "memory_bytes": 4_000_000,
        "size_bytes": 100_000,
        "accuracy": 0.99,
    }
    return BenchmarkRow(variant=variant, **{**values, **changes})


def made(*rows: BenchmarkRow, path: Path = Path("nowhere")) -> Benchmark:
    return Benchmark(path, "digits", MACHINE, "the manifest", rows, ())
