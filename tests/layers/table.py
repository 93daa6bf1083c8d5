"""The verdicts as the table of docs/layers.md: a row for each layer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.layers.excuses import EXCUSES
from tests.layers.running import REFUSED, VERIFIED, Verdict
from tests.pages import DETAILS, END_OF_DETAILS

LONGEST = 120
"""Characters of a reason."""


def table_of(verdicts: Mapping[str, Verdict]) -> str:
    """Return the table as Markdown, under a sentence that counts."""
    by_subject: dict[str, dict[str, Verdict]] = {}
    for name, verdict in verdicts.items():
        subject, _, mode = name.partition(": ")
        by_subject.setdefault(subject, {})[mode] = verdict
    rows = [_row(subject, by_subject[subject]) for subject in sorted(by_subject, key=_layers_first)]
    activations = sum(subject.startswith("activations.") for subject in by_subject)
    counts = [sum(verdict.outcome == outcome for verdict in verdicts.values()) for outcome in (VERIFIED, REFUSED)]
    return "\n".join(
        [
            f"{len(by_subject) - activations} layers and {activations} activations of Keras in {len(verdicts)} modes: "
            f"{counts[0]} verified, {counts[1]} refused by name, 0 failed.",
            "",
            DETAILS.format(summary="Every layer and activation"),
            "",
            "| layer | verified | refused | what is refused, and why |",
            "|---|--:|--:|---|",
            *rows,
            *(f"| `{name}` | | | {reason} |" for name, reason in EXCUSES.items()),
            "",
            END_OF_DETAILS,
        ]
    )


def _row(subject: str, modes: Mapping[str, Verdict]) -> str:
    refused = {mode: verdict for mode, verdict in modes.items() if verdict.outcome == REFUSED}
    by_reason: dict[str, list[str]] = {}
    for mode, verdict in refused.items():
        by_reason.setdefault(_shortened(verdict.reason), []).append(mode)
    everything = len(refused) == len(modes)
    reasons = [
        reason if everything and len(by_reason) == 1 else f"{_listed(named)}: {reason}"
        for reason, named in by_reason.items()
    ]
    return f"| `{subject}` | {len(modes) - len(refused)} | {len(refused)} | {'; '.join(reasons)} |"


def _listed(modes: list[str]) -> str:
    shown = ", ".join(f"`{mode}`" for mode in modes[:2])
    return f"{shown} and {len(modes) - 2} more" if len(modes) > 2 else shown


def _shortened(reason: str) -> str:
    """Return what was received, or what is required where that says more; never what to do."""
    required, received = [*re.split(r" ?Received(?: in [^:]*)?: ", reason, maxsplit=1), ""][:2]
    received = received if len(received.partition(". ")[0]) > 20 else required.rpartition(": ")[2].rstrip(".")
    received = re.split(r"\. (?=[A-Z])", received, maxsplit=1)[0].replace("|", "\\|").replace("<", "&lt;")
    return received if len(received) <= LONGEST else f"{received[:LONGEST]} ..."


def _layers_first(subject: str) -> tuple[bool, str]:
    return subject.startswith("activations."), subject.lower()
