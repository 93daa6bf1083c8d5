"""Does each network answer alike in four bundles and on three devices? `python -m tests.benchmarks.tasks.everywhere`.

    python -m tests.benchmarks.tasks.everywhere [--only NAME...] [--table [PAGE]]

Takes the artifacts that `python -m tests.benchmarks.tasks` made. Figures go into everywhere.json, by network.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.tasks.bundles import TARGETS, Told, run_bundle
from tests.benchmarks.tasks.exporting import MAX_DROP
from tests.benchmarks.tasks.measuring import artifact_of
from tests.benchmarks.tasks.network import TaskNetwork
from tests.benchmarks.tasks.networks import NETWORKS
from tests.pages import BENCHMARKS, line, write_between

FILE = Path(__file__).with_name("everywhere.json")
DEVICES = ("pi4", "pi5", "avx2")
SAMPLES = 32
"""Of the validation data on each device; emulation takes some hundred times as long."""


def main() -> int:
    """Run the command line; return 3 where one does not answer alike."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="Default: all of them.")
    help_ = "Only write the table, from stored figures, into PAGE (default: the page in docs/)."
    parser.add_argument("--table", nargs="?", type=Path, const=BENCHMARKS, metavar="PAGE", help=help_)
    options = parser.parse_args()
    if options.table:
        write_between(options.table, "everywhere", render(_stored()))
        return 0
    for name in options.only:
        print(f"{name}: bundles and devices", file=sys.stderr, flush=True)
        made = {"bundles": in_bundles(NETWORKS[name]), "devices": on_devices(NETWORKS[name])}
        found = {**_stored(), name: made}  # Another run may have written meanwhile.
        ordered = {known: found[known] for known in NETWORKS if known in found}
        FILE.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    print(render(_stored()))
    return 0 if all(_passed(figures) for figures in _stored().values()) else 3


def _stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    return found


def in_bundles(network: TaskNetwork) -> dict[str, Any]:
    """Return what each bundle's self-test says, and how far its answers lie from those of `python`, over the spread."""
    told = {target: run_bundle(artifact_of(network), target) for target in TARGETS}
    return {target: {"verdict": each.verdict, "off": _off(each, told[TARGETS[0]])} for target, each in told.items()}


def on_devices(network: TaskNetwork) -> dict[str, Any]:
    """Return for each device the gate that is nearest to its limit."""
    from edgeconv.evaluation.evaluate import evaluate

    data = str(artifact_of(network).parent / "validation.npz") if network.labelled or network.judged else None
    ledger = evaluate(
        artifact_of(network), dataset=data, max_drop=float(MAX_DROP), images=SAMPLES if data else None, emulate=["all"]
    )
    return {device: _worst(ledger, f"int8 on {device}") for device in DEVICES}


def render(found: Mapping[str, Any]) -> str:
    """Return the table in Markdown."""
    header = ["network", *(f"`{target}`" for target in TARGETS), *(f"`{device}`" for device in DEVICES)]
    table = [line(header), line(["---", *["--:"] * (len(header) - 1)])]
    for name, figures in found.items():
        bundles = [_bundle_cell(figures["bundles"][target]) for target in TARGETS]
        devices = [_device_cell(figures["devices"][device]) for device in DEVICES]
        table.append(line([NETWORKS[name].title, *bundles, *devices]))
    return "\n".join(table)


def _off(told: Told, reference: Told) -> float:
    """Return the largest difference of an answer over the spread of its output."""
    if set(told.answers) != set(reference.answers) or not told.answers:
        return float("inf")
    return max(
        float(np.abs(told.answers[name] - wanted).max() / max(float(np.ptp(wanted)), 1e-12))
        for name, wanted in reference.answers.items()
    )


def _worst(ledger: Any, stage: str) -> dict[str, Any]:
    gates = [gate for gate in ledger.gates if gate.stage == stage]
    worst = max(gates, key=lambda gate: (not gate.passed, gate.received / gate.limit if gate.limit else gate.received))
    return {"passed": all(gate.passed for gate in gates), "gate": worst.name, "received": worst.received}


def _passed(figures: Mapping[str, Any]) -> bool:
    bundles, devices = figures["bundles"].values(), figures["devices"].values()
    return all(each["verdict"].startswith("PASS") for each in bundles) and all(each["passed"] for each in devices)


def _bundle_cell(told: Mapping[str, Any]) -> str:
    if not told["verdict"].startswith("PASS"):
        return "**fails**"
    return "passes" if told["off"] == 0 else f"passes, {told['off']:.0e}"


def _device_cell(told: Mapping[str, Any]) -> str:
    text = f"{told['received'] + 0.0:.2f}"
    return text if told["passed"] else f"**{text}**"


if __name__ == "__main__":
    sys.exit(main())
