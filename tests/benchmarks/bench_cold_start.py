"""Cold start of `edgeconv predict digit.png` beside the imports that it cannot do without, in turn, as whole processes.

Prints the medians and the ratio: ``python tests/benchmarks/bench_cold_start.py``. A quiet machine is needed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

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
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs + 2):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, cwd=PICTURE.parent)
            if number >= 2:  # The first two warm the disk's cache.
                times[name].append(time.perf_counter() - start)
    ratios = [own / peer for own, peer in zip(times["predict"], times["imports"], strict=True)]
    print(
        json.dumps(
            {
                "predict_ms": round(1000 * median(times["predict"]), 1),
                "imports_ms": round(1000 * median(times["imports"]), 1),
                "ratio": round(median(ratios), 3),
                "ratio_min_max": [round(min(ratios), 3), round(max(ratios), 3)],
                "runs": runs,
            }
        )
    )


if __name__ == "__main__":
    main()
