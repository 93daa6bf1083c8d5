"""How the files of Keras 2 ended, kept in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("verdicts.json")

BY_KERAS3, BY_TF_KERAS, SAVED, REFUSED, LIE, FAILED = "Keras 3", "tf-keras", "signature", "refused", "lie", "failed"


@dataclass(frozen=True)
class Verdict:
    """How a file ended: what opened it, or the line of the refusal, or what is wrong."""

    outcome: str
    reason: str = ""


Verdicts = dict[str, dict[str, Verdict]]
"""By the name of the case and the format."""


def read_verdicts() -> Verdicts:
    """Return the kept verdicts."""
    if not FILE.is_file():
        return {}
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: {kind: Verdict(*verdict) for kind, verdict in kinds.items()} for name, kinds in stored.items()}


def write_verdicts(verdicts: Verdicts) -> None:
    """Keep verdicts, a line for each case."""
    lines = (
        f"{json.dumps(name)}: {json.dumps({k: [v.outcome, v.reason][: 1 + bool(v.reason)] for k, v in kinds.items()})}"
        for name, kinds in sorted(verdicts.items())
    )
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
