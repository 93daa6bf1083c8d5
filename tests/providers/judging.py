"""What in an environment is not as it is expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.providers.environments import HOLDS, Environment

MOST_DP = {"fp32": 1e-4, "int8": 2e-2, "e2e": 2e-2}
"""Largest difference of a probability from Keras'. float32 sums in another order; int8 may round one step of its logits
elsewhere, as it may inside of e2e."""

MOST_FLIPS = {"fp32": 0.0, "int8": 0.002, "e2e": 0.002}
"""Share of the answers that may differ from those on the CPU: of int8 what `--max-drop` allows an export by default. Of
16 that is none."""


def problems(environment: Environment, found: Mapping[str, Any]) -> list[str]:
    """Say what is not as `environments.py` expects it; nothing where all is."""
    wrong = []
    if found["state"] != environment.state:
        wrong.append(f"{environment.device} is {found['state']}, expected {environment.state}")
    if environment.installation not in found["installation"]:
        wrong.append(f"the installation is told as {found['installation']!r}")
    if not environment.expected:
        return wrong
    exit_code = 0 if HOLDS in environment.expected.values() else 1
    if found["exit_code"] != exit_code:
        wrong.append(f"evaluate must exit with {exit_code}, not with {found['exit_code']}")
    for name, expected in environment.expected.items():
        refused, row = found["refused"].get(name, ""), row_of(environment, found, name)
        if expected != HOLDS:
            if row is not None or expected not in refused:
                wrong.append(f"{name} must be refused with {expected!r}: {refused or row}")
        elif row is None or not _holds(name, row, found):
            wrong.append(f"{name} must hold: {refused or row}")
    return wrong


def row_of(environment: Environment, found: Mapping[str, Any], variant: str) -> Mapping[str, Any] | None:
    """Return the row of a variant on the device of an environment, or None."""
    stage = f"{variant} on {environment.device}"
    return next((row for row in found["rows"] if row["stage"] == stage), None)


def _holds(variant: str, row: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    gates = [gate["passed"] for gate in found["gates"] if gate["stage"] == row["stage"]]
    few = row["flips_beside_cpu"] <= MOST_FLIPS[variant] * row["count"]
    return bool(gates) and all(gates) and few and row["max_abs_dp"] <= MOST_DP[variant]
