"""What in an environment is not as it is expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.providers.environments import HOLDS, Environment

MOST_DP = {"fp32": 1e-4, "int8": 2e-2}
"""Largest difference of a probability. float32 sums in another order; int8 may round one step of its logits elsewhere,
and OpenVINO computes parts of it in float, which moves probabilities by 5e-3."""

MOST_FLIPS = {"fp32": 0.0, "int8": 0.002}
"""Share of the answers that may differ: of int8 what `--max-drop` allows an export by default. Of 16 that is none."""


def problems(environment: Environment, found: Mapping[str, Any]) -> list[str]:
    """Say what is not as `environments.py` expects it; nothing where all is."""
    if "error" in found:
        return [f"nothing ran: {found['error']}"]
    wrong = []
    if found["state"] != environment.state:
        wrong.append(f"{environment.device} is {found['state']}, expected {environment.state}")
    if environment.installation not in found["installation"]:
        wrong.append(f"the installation is told as {found['installation']!r}")
    for name, expected in environment.expected.items():
        row = found["rows"][name]
        if expected != HOLDS:
            if expected not in row.get("error", ""):
                wrong.append(f"{name} must be refused with {expected!r}: {row}")
        elif (
            "error" in row or row["flips"] > MOST_FLIPS[name] * row["images"] or not row["max_abs_dp"] <= MOST_DP[name]
        ):
            wrong.append(f"{name} must hold: {row}")
    return wrong
