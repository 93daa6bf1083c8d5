"""The verdicts as the tables of docs/legacy.md."""

from __future__ import annotations

from collections import Counter

from tests.legacy.verdicts import BY_KERAS3, BY_TF_KERAS, FAILED, LIE, REFUSED, SAVED, Verdicts
from tests.legacy.writing import APPLICATIONS, FORMATS, H5, KERAS, PIXELS, SAVED_MODEL
from tests.pages import DETAILS, END_OF_DETAILS, line

TITLES = {H5: "`.h5`", KERAS: "`.keras`", SAVED_MODEL: "SavedModel"}

LONGEST = 140
"""Characters of a reason."""


def table_of(verdicts: Verdicts) -> str:
    """Return the counts by format, the models of keras.applications, and what is refused."""
    layers = {name: kinds for name, kinds in verdicts.items() if not name.startswith(APPLICATIONS)}
    models = {name: kinds for name, kinds in verdicts.items() if name.startswith(APPLICATIONS)}
    subjects = len({name.partition(":")[0] for name in layers})
    return "\n".join(
        [
            f"{len(layers)} models around {subjects} layers and activations; {len(models)} of `keras.applications`, "
            f"with random weights, on pictures of {PIXELS}x{PIXELS}:",
            "",
            *_counts({"of layers": layers, "of `keras.applications`": models}),
            "",
            *_models(models),
            "",
            DETAILS.format(summary="What is refused, and why"),
            "",
            *_refusals(verdicts),
            "",
            END_OF_DETAILS,
        ]
    )


def _counts(groups: dict[str, Verdicts]) -> list[str]:
    rows = [line(["file", "models", "written", "opened by Keras 3", "run by tf-keras", "refused", "other answers"])]
    rows.append(line(["---", "---", *["---:"] * 5]))
    for kind in FORMATS:
        for group, verdicts in groups.items():
            outcomes = Counter(kinds[kind].outcome for kinds in verdicts.values() if kind in kinds)
            opened, wrong = outcomes[BY_KERAS3] + outcomes[SAVED], outcomes[LIE] + outcomes[FAILED]
            counts = [outcomes.total(), opened, outcomes[BY_TF_KERAS], outcomes[REFUSED], wrong]
            rows.append(line([TITLES[kind], group, *map(str, counts)]))
    return rows


def _models(models: Verdicts) -> list[str]:
    rows = [line(["model", *(TITLES[kind] for kind in FORMATS)]), line(["---"] * 4)]
    for name, kinds in sorted(models.items()):
        cells = (kinds[kind].outcome if kind in kinds else "not written" for kind in FORMATS)
        rows.append(line([f"`{name.removeprefix(APPLICATIONS)}`", *cells]))
    return rows


def _refusals(verdicts: Verdicts) -> list[str]:
    """Return a row for each reason, with the cases that it is said of, the formats together."""
    by_reason: dict[str, dict[str, list[str]]] = {}
    for name, kinds in sorted(verdicts.items()):
        for kind, verdict in kinds.items():
            if verdict.outcome == REFUSED:
                by_reason.setdefault(_shortened(verdict.reason), {}).setdefault(name, []).append(TITLES[kind])
    rows = [line(["model", "file", "reason"]), line(["---"] * 3)]
    for reason, cases in by_reason.items():
        for name, titles in cases.items():
            rows.append(line([f"`{name}`", ", ".join(titles), reason]))
    return rows


def _shortened(reason: str) -> str:
    """Return what was received."""
    received = reason.partition("Received")[2].lstrip(": ") or reason
    received = received.partition(". ")[0].replace("|", "\\|").replace("<", "&lt;")
    return received if len(received) <= LONGEST else f"{received[:LONGEST]} ..."
