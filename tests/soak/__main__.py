"""`make soak`: a million predictions by eight threads that share a model.

python -m tests.soak [--predictions 1000000] [--threads 8]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from edgeconv.runtime.predictor import Predictor
from tests.soak.soaking import soak

MODEL = Path(__file__).parents[1] / "data" / "tiny"

MOST_GROWTH_MB = 2.0


def main() -> None:
    """Ask, print memory in tenths of the way, and fail where an answer was wrong or memory grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--predictions", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, Predictor(MODEL) as model:
        result = soak(model, Path(folder), predictions=options.predictions, threads=options.threads)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in result.asked.most_common())
    print(f"{result.asked.total():,} predictions in {result.seconds:,.0f} s: {kinds}; {len(result.wrong)} wrong")
    print(f"resident memory in MB: {', '.join(f'{size:.1f}' for size in result.memory[::10])}")
    for words in result.wrong[:10]:
        print(f"    {words}")
    sys.exit(bool(result.wrong) or result.growth > MOST_GROWTH_MB)


if __name__ == "__main__":
    main()
