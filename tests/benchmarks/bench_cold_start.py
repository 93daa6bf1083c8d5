"""Cold start of `edgeconv predict digit.png` beside the imports that it cannot do without, in turn, as whole processes.

Prints the medians and the ratios: ``python tests/benchmarks/bench_cold_start.py``. A quiet machine is needed for those
of the wall clock; those of the processor's time, user and system, move less on a busy one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

# An installation is compiled. Where this variable is set, a checkout would be compiled again at each start.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

PICTURE = Path(__file__).parents[1] / "data" / "seven.png"


def main() -> None:
    """Time both commands pair by pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    runs = parser.parse_args().runs
    commands = {
        "predict": [str(Path(sys.executable).parent / "edgeconv"), "predict", str(PICTURE)],
        "imports": [sys.executable, "-c", "import onnxruntime, numpy, PIL.Image"],
    }
    wall: dict[str, list[float]] = {name: [] for name in commands}
    processor: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs + 2):
        for name, command in commands.items():
            start, used = time.perf_counter(), _children_seconds()
            subprocess.run(command, check=True, capture_output=True, cwd=PICTURE.parent, env=ENVIRONMENT)
            if number >= 2:  # The first two warm the disk's cache and compile what is not compiled.
                wall[name].append(time.perf_counter() - start)
                processor[name].append(_children_seconds() - used)
    print(json.dumps({**_figures(wall, ""), **_figures(processor, "processor_"), "runs": runs}))


def _children_seconds() -> float:
    """Return the processor's time that processes which have ended took, user and system."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _figures(times: dict[str, list[float]], prefix: str) -> dict[str, float | list[float]]:
    ratios = [own / peer for own, peer in zip(times["predict"], times["imports"], strict=True)]
    return {
        **{f"{prefix}{name}_ms": round(1000 * median(taken), 1) for name, taken in times.items()},
        f"{prefix}ratio": round(median(ratios), 3),
        f"{prefix}ratio_min_max": [round(min(ratios), 3), round(max(ratios), 3)],
    }


if __name__ == "__main__":
    main()
