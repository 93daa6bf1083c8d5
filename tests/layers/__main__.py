"""`python -m tests.layers`: judge every case, keep the verdicts, and write the table of docs/layers.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.layers import cases  # noqa: F401 - registers every case.
from tests.layers.case import CASES
from tests.layers.running import FAILED, judge
from tests.layers.table import table_of
from tests.layers.verdicts import read_verdicts, write_verdicts
from tests.pages import LAYERS, write_between


def main() -> int:
    """Return 1 if any case failed: it keeps no verdict then, and the table stays as it was."""
    parser = argparse.ArgumentParser(prog="python -m tests.layers", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", help="judge the cases whose name holds TEXT; the others keep theirs")
    parser.add_argument("--page", type=Path, default=LAYERS, help="the file that has the table's markers")
    options = parser.parse_args()
    verdicts = {name: verdict for name, verdict in read_verdicts().items() if name in CASES}
    chosen = [name for name in CASES if options.only is None or options.only in name]
    with tempfile.TemporaryDirectory() as folder:
        for place, name in enumerate(chosen, start=1):
            verdicts[name] = judge(CASES[name], Path(folder))
            print(f"{place}/{len(chosen)} {verdicts[name].outcome}: {name}", file=sys.stderr)
    failures = {name: verdict for name, verdict in verdicts.items() if verdict.outcome == FAILED}
    for name, verdict in failures.items():
        print(f"{name}: {verdict.reason}")
    write_verdicts({name: verdict for name, verdict in verdicts.items() if name not in failures})
    if not failures:
        write_between(options.page, "layers", table_of(read_verdicts()))
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
