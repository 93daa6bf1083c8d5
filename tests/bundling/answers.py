"""What the programs of bundles answer, beside what Python does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgeconv.runtime.runner import Runner

EXPLAINED = {"classes", "tags", "yes-no", "values", "mask"}
"""Tasks whose answers bundles explain; those of others are arrays."""


def draw_feeds(runner: Runner) -> dict[str, np.ndarray]:
    """Return random arrays by the names of the inputs; open axes have the size 2."""
    generator = np.random.default_rng(8)
    shapes = {spec.name: [size if isinstance(size, int) else 2 for size in spec.shape] for spec in runner.inputs}
    return {spec.name: generator.normal(0, 9, shapes[spec.name]).astype(spec.dtype) for spec in runner.inputs}


def names_of_outputs(artifact: Path) -> dict[str, str]:
    """Return the dtypes of the outputs of a picture, by the names that they have in a bundle."""
    return {spec.name.replace("picture", "picture_output"): spec.dtype for spec in Runner(artifact).outputs}


def check_answer(answered: Any, wanted: Any) -> None:
    """Hold rows of JSON against one another, numbers to five digits behind the point."""
    shown, expected = (
        json.loads(json.dumps(row), parse_float=lambda text: round(float(text), 5)) for row in (answered, wanted)
    )
    assert shown == expected


def check_outputs(
    answered: Mapping[str, Any], wanted: Mapping[str, np.ndarray], *, rtol: float = 1e-6, atol: float = 0.0
) -> None:
    """Hold outputs that a program printed against arrays."""
    for name, array in wanted.items():
        assert (answered[name]["dtype"], answered[name]["shape"]) == (array.dtype.name, list(array.shape))
        data = np.array(answered[name]["data"]).reshape(array.shape)
        np.testing.assert_allclose(data, array, rtol=rtol, atol=atol)
