"""`make fuzz`: damaged files for every target for a while; what is found is written to `build/fuzz`.

python -m tests.fuzz [--minutes 1] [--only pictures] [--seed 0]
"""

from __future__ import annotations

import argparse
import re
import sys

from tests.fuzz.searching import search
from tests.fuzz.target import ROOT
from tests.fuzz.targets import TARGETS

FOUND = ROOT / "build" / "fuzz"


def main() -> None:
    """Search, print what each target came to, and fail where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target")
    parser.add_argument("--only", choices=TARGETS, help="one target")
    parser.add_argument("--seed", type=int, default=0, help="of the examples")
    options = parser.parse_args()
    print(f"{'target':14} {'examples':>9} {'answered':>9} {'found':>6}", flush=True)
    found = 0
    for name in [options.only] if options.only else TARGETS:
        reason = TARGETS[name].needs()
        if reason:
            print(f"{name:14} left out: {reason}")
            continue
        result = search(name, 60 * options.minutes, options.seed)
        found += len(result.found)
        print(f"{name:14} {result.examples:9,} {result.answered:9,} {len(result.found):6}", flush=True)
        for kind, (words, content) in result.found.items():
            place = FOUND / name / re.sub(r"\W+", "-", kind).strip("-")[:80]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            print(f"    {words}\n    {place.relative_to(ROOT)}", flush=True)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
