"""The table of docs/guides/providers.md from the figures of cards: a row a device and variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.pages import line

_BATCHES = ("1", "16", "256", "4096")


def render(figures: Mapping[str, Any]) -> str:
    """Return the table."""
    head = ["device", "ONNX Runtime", "variant", "test images", "flips", "off by"]
    rows = [line([*head, *(f"batch {batch}" for batch in _BATCHES)]), line(["---"] * (len(head) + len(_BATCHES)))]
    for device, found in figures.items():
        build = next(finding["text"] for finding in found["findings"] if finding["subject"] == "onnxruntime")
        for variant, row in found["rows"].items():
            test, times = row["test"], row["ms_by_batch"]
            held = [f"{test['images']:,}", str(test["flips"]), f"{test['max_abs_dp']:.0e}"]
            rows.append(line([device, build, variant, *held, *(f"{times[batch]:.2f} ms" for batch in _BATCHES)]))
    return "\n".join(rows)
