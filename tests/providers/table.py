"""The table of docs/guides/providers.md from the results: a row an environment, a column a variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.pages import line
from tests.providers.environments import ENVIRONMENTS
from tests.providers.judging import row_of

VARIANTS = ("fp32", "int8", "e2e")


def render(results: Mapping[str, Any]) -> str:
    """Return the table."""
    rows = [
        line(["run on", "packages", "`edgeconv doctor` says", *VARIANTS]),
        line(["---"] * (3 + len(VARIANTS))),
    ]
    for name, found in results["environments"].items():
        environment = ENVIRONMENTS[name]
        packages = ", ".join(environment.packages).replace("==", " ")
        cells = [_cell(found, variant, row_of(environment, found, variant)) for variant in VARIANTS]
        state = "two wheels at once" if environment.installation else f"{environment.device}: {found['state']}"
        rows.append(line([environment.title, packages, state, *cells]))
    return "\n".join([*rows, "", f"On an {results['processor']}."])


def _cell(found: Mapping[str, Any], variant: str, row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "refused" if variant in found["refused"] else "-"
    return f"holds: {row['count']} inputs, {row['flips']} flips, off by {row['max_abs_dp']:.0e}"
