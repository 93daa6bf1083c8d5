"""Train, export and measure the networks: `python -m tests.benchmarks.tasks`.

    python -m tests.benchmarks.tasks [--only NAME...] [--time-only] [--table [PAGE]]

What is trained is kept below build/accuracy. Figures go into figures.json, by network. `--time-only` times what is
there, and does no more; `--table` writes the table from stored figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tests.benchmarks.tasks.networks import NETWORKS
from tests.benchmarks.tasks.table import render
from tests.pages import BENCHMARKS, write_between

FILE = Path(__file__).with_name("figures.json")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tasks", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="Default: all of them.")
    parser.add_argument("--time-only", action="store_true", help="Time the files that are there; train nothing.")
    help_ = "Only write the table, from stored figures, into PAGE (default: the page in docs/)."
    parser.add_argument("--table", nargs="?", type=Path, const=BENCHMARKS, metavar="PAGE", help=help_)
    options = parser.parse_args()
    if options.table:
        write_between(options.table, "tasks", render(_stored()))
        return
    from tests.benchmarks.tasks.measuring import measure, measure_times

    for name in options.only:
        network = NETWORKS[name]
        found = _stored().get(name, {}) if options.time_only else measure(network)
        _keep(name, {**found, "times": measure_times(network)})
    print(render(_stored()))


def _stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    return found


def _keep(name: str, figures: dict[str, Any]) -> None:
    found = {**_stored(), name: figures}
    ordered = {known: found[known] for known in NETWORKS if known in found}
    FILE.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
