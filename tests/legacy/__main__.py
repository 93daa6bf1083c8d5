"""`python -m tests.legacy`: write models with Keras 2, export each file, and keep the verdicts in docs/legacy.md."""

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


def main() -> int:
    """Return 1 if any file answers otherwise than Keras 2 did, or ends in a traceback."""
    parser = argparse.ArgumentParser(prog="python -m tests.legacy", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="WORD", help="cases whose names hold one of the words")
    parser.add_argument("--table", action="store_true", help="only write the table, from the kept verdicts")
    options = parser.parse_args()
    if not options.table:
        for words in [options.only] if options.only else [[": "], *([name] for name in _applications())]:
            with tempfile.TemporaryDirectory() as folder:
                write_verdicts(read_verdicts() | judged(words, Path(folder)))
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


def _applications() -> list[str]:
    """Return the names of all models of keras.applications, one of which is on the disk at a time: some are large."""
    listing = "import tf_keras; print(*(n for n in dir(tf_keras.applications) if n[0].isupper()))"
    listed = subprocess.run([sys.executable, "-c", listing], check=True, capture_output=True, text=True)
    return [f"{APPLICATIONS}{name}" for name in listed.stdout.split()]


def judged(words: list[str], folder: Path) -> Verdicts:
    """Write and judge the cases whose names hold one of the words, in processes of their own."""
    names = [name for name, reason in _lines("writing", str(folder), *words) if not reason]
    by_folder = {folder_of(folder, name).name: name for name in names}
    found: Verdicts = {}
    for place, kind, outcome, reason in _lines("judging", str(folder)):
        found.setdefault(by_folder[place], {})[kind] = Verdict(outcome, reason)
    return found


def _lines(module: str, *arguments: str) -> list[list[str]]:
    command = [sys.executable, "-m", f"tests.legacy.{module}", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


if __name__ == "__main__":
    sys.exit(main())
