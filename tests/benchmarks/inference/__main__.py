"""Measures inference beside its peers, and writes the table of docs/benchmarks.md.

    python -m tests.benchmarks.inference [--only NAME...] [--seconds S] [--again] [--table [PAGE]]

Figures go into results.json, by network, so that a run may measure one of them. `--table` writes the table from there,
and does no more. Networks and the peers' files are made once, below `build/networks/`; edgeconv's are made each time.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.inference.contenders import contenders
from tests.benchmarks.inference.making import make
from tests.benchmarks.inference.measuring import measure
from tests.benchmarks.inference.products import products
from tests.benchmarks.inference.table import render, verdicts
from tests.benchmarks.networks import NETWORKS
from tests.pages import BENCHMARKS, write_between

FILE = Path(__file__).parents[1] / "results.json"
TIMED = ("mnist", "mobilenet", "resnet50")
ABILITIES = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8", "asimddp")
PACKAGES = ("ai-edge-litert", "keras", "numpy", "onnxruntime", "openvino", "tensorflow", "tf2onnx")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.inference", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=TIMED, default=TIMED, help="Default: all of them.")
    parser.add_argument("--seconds", type=float, default=30.0, help="For each of the two measurements of a network.")
    parser.add_argument("--again", action="store_true", help="Make the peers' files anew, too.")
    help_ = "Only write the table, from stored figures, into PAGE (default: the page in docs/)."
    parser.add_argument("--table", nargs="?", type=Path, const=BENCHMARKS, metavar="PAGE", help=help_)
    options = parser.parse_args()
    results = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {"networks": {}}
    if options.table:
        write_between(options.table, "inference", render(results))
        return
    for name in options.only:
        results["networks"][name] = explore(name, options.seconds, again=options.again)
        results |= {"packages": {package: version(package) for package in PACKAGES}}
        FILE.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(render({**results, "networks": {name: results["networks"][name]}}), flush=True)
    print("\n".join(verdicts(results)))


def explore(name: str, seconds: float, *, again: bool) -> dict[str, Any]:
    """Make, open, check and time everything that runs a network."""
    import edgeconv

    network = NETWORKS[name]
    folder = make(network, again=again)
    inspected = edgeconv.inspect(folder / "artifact")
    (multiply_adds,) = [file.multiply_adds for file in inspected.files if file.variant == "fp32"]
    rows = measure(network.title, folder, [*contenders(folder), *products(folder)], seconds)
    return {"title": network.title, "machine": machine(), "multiply_adds": multiply_adds, "rows": rows}


def machine() -> str:
    """Return the machine in words."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.is_file() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    abilities = [ability for ability in ABILITIES if f" {ability}" in text]
    name = model[1] if model else platform.processor() or platform.machine()
    cores = text.count("processor\t:") or "unknown"
    return f"{name}, {cores} cores ({', '.join(abilities)}), {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
