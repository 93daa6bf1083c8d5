"""Pictures that are cut though nobody said so are warned of, once; where somebody said so, not at all."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeconv.errors import EdgeconvWarning
from edgeconv.manifest import Manifest
from edgeconv.preparation import Preparation
from edgeconv.runtime.pipeline import EmbeddedPipeline, PreparedPipeline

OLD = Manifest.from_json(Path("tests/data/manifest-v1.json").read_text(encoding="utf-8"))
WIDE, SQUARE = np.zeros((24, 72, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)


def pipelines(preparation: Preparation) -> list[PreparedPipeline | EmbeddedPipeline]:
    manifest = replace(OLD, preprocess=preparation)
    return [PreparedPipeline(manifest, None), EmbeddedPipeline(manifest, None)]  # type: ignore[arg-type]


@pytest.mark.parametrize("place", [0, 1], ids=["numpy", "graph"])
def test_the_first_picture_that_is_cut_is_warned_of(place: int) -> None:
    pipeline = pipelines(Preparation("resize", 16, 16, 3, fit_assumed=True))[place]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline.prepare(SQUARE)
    with pytest.warns(EdgeconvWarning, match=r"24x72 does not have the aspect of 16x16: .* Export the model with"):
        pipeline.prepare(WIDE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline.prepare(WIDE)


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_what_somebody_said_is_not_warned_of_nor_what_an_old_manifest_has(fit: str) -> None:
    old = {"kind": "resize", "height": 16, "width": 16, "channels": 3, "fit": fit, "filter": "triangle"}
    for pipeline in pipelines(Preparation.from_dict(old)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pipeline.prepare(WIDE)
