"""Several processes: one that dies comes back, figures are of all, and models are replaced in each."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.serving.running import Server, serving
from tests.serving.test_lifecycle import body


@pytest.fixture(scope="module")
def several(tiny: Path) -> Iterator[Server]:
    with serving(f"colours={tiny}", "--workers", 2, "--grace", 3) as running:
        until(lambda: len(ready(running)) == 2)
        yield running


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ready(server: Server) -> list[str]:
    return [line for line in server.said if line.startswith("Ready")]


def workers_of(server: Server) -> set[int]:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    found = set()
    for child in children:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # It may end meanwhile.
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(int(child))
    return found


def count(server: Server, name: str) -> float:
    figures = server.ask("/metrics").body.decode()
    return sum(float(found) for found in re.findall(rf'^{name}_total{{.*model="colours".*}} (\S+)$', figures, re.M))


def test_figures_are_of_all_processes(several: Server) -> None:
    before = count(several, "nv_inference_request_success")
    for _ in range(20):  # Each on a connection of its own: both processes take some.
        assert several.ask("/v2/models/colours/infer", body()).status == 200
    assert count(several, "nv_inference_request_success") == before + 20
    assert count(several, "nv_inference_count") >= before + 20


def test_one_that_dies_comes_back_and_the_other_answers_meanwhile(several: Server) -> None:
    before = workers_of(several)
    assert len(before) == 2
    counted = count(several, "nv_inference_request_success")
    os.kill(min(before), signal.SIGKILL)
    asked = 0
    while len(workers_of(several)) < 2 or workers_of(several) == before or len(ready(several)) < 3:
        answer = several.ask("/v2/models/colours/infer", body())
        assert answer.status == 200, "a process that comes back takes requests once it can answer them"
        asked += 1
    assert asked > 0
    assert f"Worker {min(before)} ended with -9" in several.wait_for("ended with")
    assert count(several, "nv_inference_request_success") == counted + asked


def test_requests_load_nothing_in_one_of_several(several: Server) -> None:
    for action in ("load", "unload"):
        answer = several.ask(f"/v2/repository/models/colours/{action}", b"")
        assert (answer.status, "Send SIGHUP" in answer.json["error"]) == (400, True)
    several.process.send_signal(signal.SIGHUP)
    assert np.isfinite(several.ask("/v2/models/colours/infer", body()).json["outputs"][0]["data"]).all()


def test_all_end_together(several: Server) -> None:
    """Comes last: it ends the server of this module."""
    children = workers_of(several)
    several.process.send_signal(signal.SIGTERM)
    assert several.process.wait(timeout=20) == 0
    assert not any(Path(f"/proc/{child}").exists() for child in children)
