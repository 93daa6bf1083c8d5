"""`python -m tests.legacy`: write models with Keras 2, export each file, and keep the verdicts in docs/legacy.md.

Cases with a verdict are left out, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.legacy.table import table_of
from tests.legacy.verdicts import FAILED, LIE, Verdict, Verdicts, read_verdicts, write_verdicts
from tests.legacy.writing import APPLICATIONS, folder_of
from tests.pages import LEGACY, write_between

TOGETHER = 40
"""Layers whose verdicts are kept at once: what is stopped loses no more."""


def main() -> int:
    """Return 1 if any file answers otherwise than Keras 2 did, or ends in a traceback."""
    parser = argparse.ArgumentParser(prog="python -m tests.legacy", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="cases whose names hold one of these")
    parser.add_argument("--again", action="store_true", help="cases with a verdict too")
    parser.add_argument("--table", action="store_true", help="only write the table, from the kept verdicts")
    options = parser.parse_args()
    if not options.table:
        known = {} if options.again else read_verdicts()
        names = _lines("writing")
        todo = [name for name in names if name not in known and any(word in name for word in options.only)]
        for group in _groups(todo):
            with tempfile.TemporaryDirectory() as folder:
                write_verdicts(read_verdicts() | judged(group, Path(folder)))
    verdicts = read_verdicts()
    wrong = [
        f"{name}, {kind}: {verdict.reason}"
        for name, kinds in verdicts.items()
        for kind, verdict in kinds.items()
        if verdict.outcome in {LIE, FAILED}
    ]
    print("\n".join(wrong))
    write_between(LEGACY, "legacy", table_of(verdicts))
    return int(bool(wrong))


def _groups(names: list[str]) -> list[list[str]]:
    """Return some layers at a time, and each model of keras.applications alone: some are large."""
    layers = [name for name in names if not name.startswith(APPLICATIONS)]
    together = [layers[start : start + TOGETHER] for start in range(0, len(layers), TOGETHER)]
    return [*together, *([name] for name in names if name.startswith(APPLICATIONS))]


def judged(names: list[str], folder: Path) -> Verdicts:
    """Write and judge cases, in processes of their own; those that Keras 2 cannot write are left out."""
    reasons = dict(map(json.loads, _lines("writing", str(folder), *names)))
    lost = [f"{name}: {reason}" for name, reason in reasons.items() if reason and name.startswith(APPLICATIONS)]
    if lost:
        raise RuntimeError(f"Keras 2 must write every model of its applications. Received: {lost}.")
    by_folder = {folder_of(folder, name).name: name for name, reason in reasons.items() if not reason}
    found: Verdicts = {}
    for place, kind, outcome, reason in map(json.loads, _lines("judging", str(folder))):
        found.setdefault(by_folder[place], {})[kind] = Verdict(outcome, reason)
    return found


def _lines(module: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-m", f"tests.legacy.{module}", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
