"""Manifests that tests start from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgeconv.manifest import Manifest
from edgeconv.manifest_blocks import Quantization

ROOT = Path(__file__).parents[1]

FROZEN = ROOT / "tests" / "data" / "manifest-v1.json"
"""A manifest of schema version 1, as it was written then. Never change it: old artifacts stay loadable."""

COMMITTED = {
    "reference": ROOT / "exported" / "mnist-reference" / "manifest.json",
    "tiny": ROOT / "tests" / "data" / "tiny" / "manifest.json",
    "version 1": FROZEN,
}


def frozen() -> dict[str, Any]:
    """Return the frozen manifest as JSON, for the caller to change."""
    loaded: dict[str, Any] = json.loads(FROZEN.read_text(encoding="utf-8"))
    return loaded


def quantization() -> Quantization:
    """Return a whole record of a quantization, of the frozen manifest."""
    found = Manifest.from_dict(frozen()).variants["int8"].quantization
    assert found is not None
    return found


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container in a JSON value with each of its keys."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])
