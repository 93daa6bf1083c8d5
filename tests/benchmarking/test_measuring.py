from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeconv.benchmarking import measuring
from edgeconv.benchmarking.measuring import benchmark
from edgeconv.errors import ConfigError
from edgeconv.spread import interval_of

Timed = Callable[[Callable[[str], float]], None]


@pytest.fixture
def paced(timed: Timed, no_processes: None) -> None:
    timed(lambda name: {"fp32": 2.0, "int8": 1.0, "e2e": 4.0}[name.partition(",")[0]])


def test_every_configuration_has_its_row(paced: None, tiny: Path) -> None:
    found = benchmark(tiny, max_batch=2, max_threads=2)
    configurations = [(row.threads, row.subject, row.batch) for row in found.rows]
    pictures = [(f"e2e, {size} picture", 1) for size in ("160x120", "640x480", "4032x3024")]
    of_one = [("fp32", 1), ("fp32", 2), ("int8", 1), ("int8", 2), *pictures]
    assert configurations == [(threads, *configuration) for threads in (1, 2) for configuration in of_one]


def test_a_row_holds_what_was_measured(paced: None, tiny: Path) -> None:
    row = benchmark(tiny, max_batch=2, max_threads=1).rows[3]
    assert (row.variant, row.batch, row.calls) == ("int8", 2, 48)
    assert row.p50_latency_ms == pytest.approx(1.0, rel=1e-3)
    assert row.p50_low_ms < row.p50_latency_ms < row.p50_high_ms < row.p99_latency_ms
    assert row.images_per_second == pytest.approx(2000.0, rel=1e-3)
    assert (row.load_ms, row.memory_bytes) == (2.0, 2000)
    assert (row.size_bytes, row.accuracy) == ((tiny / "model.int8.onnx").stat().st_size, 1.0)


def test_variants_are_compared_under_equal_conditions(paced: None, tiny: Path) -> None:
    """The variant e2e prepares the picture as well, and is compared with none."""
    found = benchmark(tiny, max_batch=2, max_threads=1)
    assert [(one.faster, one.slower) for one in found.comparisons] == [
        (f"int8, cpu, 1 thread, batch {batch}", f"fp32, cpu, 1 thread, batch {batch}") for batch in (1, 2)
    ]
    assert found.comparisons[0].ratio.median == pytest.approx(0.5)
    assert found.noise() is None


def test_noise_is_told(paced: None, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "ratio_of", lambda *_: interval_of([0.5, 0.9, 1.1, 1.0, 0.8, 1.5]))
    noise = benchmark(tiny, max_batch=1, max_threads=1).noise()
    assert noise == (
        "This machine is too noisy to tell 1 of 1 pairs of variants apart, such as int8, cpu, 1 thread, batch 1 and "
        "fp32, cpu, 1 thread, batch 1: the time of the one is 0.50 to 1.50 times that of the other. Stop other work, "
        "or measure longer with `--seconds`."
    )


def test_a_benchmark_is_json_with_its_machine(paced: None, tiny: Path) -> None:
    value = json.loads(json.dumps(benchmark(tiny, max_batch=1, max_threads=1).as_dict()))
    assert value["name"] == "tiny"
    assert value["machine"]["versions"]["onnxruntime"]
    assert value["rows"][0]["provider"] == "CPUExecutionProvider"


def test_a_lone_file_is_measured(paced: None, tiny: Path) -> None:
    """Its accuracy stands in the contract inside it."""
    found = benchmark(tiny / "model.int8.onnx", max_batch=1, max_threads=1)
    assert [(row.variant, row.accuracy) for row in found.rows] == [("int8", 1.0)]


def test_a_process_that_failed_leaves_a_gap(
    paced: None, tiny: Path, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "footprint_of", lambda *_: None)
    row = benchmark(tiny / "model.onnx", max_batch=1, max_threads=1, progress=listener).rows[0]
    assert (row.load_ms, row.memory_bytes) == (None, None)
    assert any("of fp32, cpu, 1 thread are not known" in word for word in listener.words)


def test_real_calls_take_time(no_processes: None, tiny: Path) -> None:
    """Waits after each round until the threads of a session have stopped to spin, some 100 ms each."""
    rows = benchmark(tiny / "model.onnx", max_batch=1, max_threads=2, seconds=0.001).rows
    assert all(0.0 < row.p50_low_ms <= row.p50_latency_ms <= row.p50_high_ms for row in rows)
    assert all(row.calls >= 12 for row in rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0.0}, r"`seconds` must be above 0\. Received: 0\.0"),
        ({"seconds": float("nan")}, r"`seconds` must be above 0\. Received: nan"),
        ({"max_threads": 0}, r"`max_threads` must be at least 1\. Received: 0\. Leave it out for all \d+ cores"),
        ({"max_batch": 0}, r"`max_batch` must be at least 1\. Received: 0"),
    ],
)
def test_numbers_are_checked_before_any_work(tiny: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        benchmark(tiny, **options)
