from __future__ import annotations

import json
from pathlib import Path

from edgeconv.benchmarking.machine import read_machine
from edgeconv.runtime.tuned import fingerprint


def test_the_governors_of_the_cores_are_read(tmp_path: Path) -> None:
    assert read_machine(tmp_path).governor is None
    for core, governor in (("cpu0", "powersave"), ("cpu1", "performance"), ("cpufreq", "nothing")):
        (tmp_path / core / "cpufreq").mkdir(parents=True)
        (tmp_path / core / "cpufreq" / "scaling_governor").write_text(f"{governor}\n")
    machine = read_machine(tmp_path)
    assert machine.governor == "performance, powersave"
    assert machine.sentence().endswith("governor performance, powersave")


def test_a_machine_is_json_and_has_the_fingerprint_that_predictor_looks_for() -> None:
    machine = json.loads(json.dumps(read_machine().as_dict()))
    assert machine["fingerprint"] == fingerprint()
    assert machine["processor"]["cores"] >= 1
    assert set(machine["versions"]) == {"python", "onnxruntime", "numpy", "edgeconv"}
