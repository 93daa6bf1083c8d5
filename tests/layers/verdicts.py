"""How every case ended when `python -m tests.layers` last ran, kept in `verdicts.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.layers.running import REFUSED, VERIFIED, Verdict

FILE = Path(__file__).with_name("verdicts.json")


def read_verdicts() -> dict[str, Verdict]:
    """Return the verdicts by the names of the cases."""
    if not FILE.is_file():
        return {}
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        f"{subject}: {mode}": Verdict(VERIFIED) if verdict == VERIFIED else Verdict(REFUSED, verdict[REFUSED])
        for subject, modes in kept.items()
        for mode, verdict in modes.items()
    }


def write_verdicts(verdicts: Mapping[str, Verdict]) -> None:
    """Write the verdicts, in the order of the names."""
    kept: dict[str, dict[str, object]] = {}
    for name, verdict in sorted(verdicts.items()):
        subject, _, mode = name.partition(": ")
        kept.setdefault(subject, {})[mode] = VERIFIED if verdict.outcome == VERIFIED else {REFUSED: verdict.reason}
    FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
