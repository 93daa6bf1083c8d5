from __future__ import annotations

import json
from collections.abc import Callable

from click.testing import Result

Run = Callable[..., Result]


def test_what_works_is_told_in_both_forms(run: Run) -> None:
    """Starts a process for the CPU each."""
    told = run("doctor", "--device", "cpu", "--format", "json")
    assert told.exit_code == 0
    answer = json.loads(told.stdout)
    assert (answer["device"], answer["works"]) == ("cpu", True)
    states = {finding["subject"]: finding["state"] for finding in answer["findings"]}
    assert states["cpu"] == states["telemetry"] == "works"
    table = run("doctor", "--device", "cpu", "--format", "table")
    assert "works   cpu" in table.stdout


def test_what_was_asked_for_and_is_broken_exits_with_1(run: Run) -> None:
    told = run("doctor", "--device", "qnn", "--format", "table")
    assert told.exit_code == 1
    lines = told.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("absent  qnn"))
    assert lines[place + 1].strip() == "-> pip install onnxruntime-qnn"
    assert run("doctor", "--device", "tpu").exit_code == 2
