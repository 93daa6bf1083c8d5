"""What models are fed while they are timed: golden vectors again and again, else random arrays of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ArtifactError
from edgeconv.manifest import ArraySpec
from edgeconv.pictures.drawing import draw_picture
from edgeconv.preparation import Preparation
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.golden import golden_inputs

Feeds = Mapping[str, NDArray[Any]]
"""Arrays by input, all of one batch size."""


@dataclass(frozen=True)
class Inputs:
    """What the models are fed.

    Attributes:
        arrays: by input, (n, ...), what the model takes; golden vectors where there are any.
        preparation: what makes such images of pictures, or None.
    """

    arrays: Feeds
    preparation: Preparation | None = None

    @classmethod
    def of(cls, files: ModelFiles) -> Inputs:
        """Take the golden vectors of a model, else random arrays.

        Raises:
            ArtifactError: there are none, and the manifest leaves the size of an input open.
        """
        manifest = files.manifest
        specs = (manifest.input, *manifest.more_inputs)
        if files.samples is not None:
            return cls(golden_inputs(files.samples, specs)[0], manifest.preprocess)
        random = np.random.default_rng(0)
        return cls({spec.name: _drawn(files, spec, random) for spec in specs}, manifest.preprocess)

    @property
    def first(self) -> NDArray[Any]:
        """The arrays of the first input, (n, ...)."""
        return next(iter(self.arrays.values()))

    def batch(self, size: int) -> dict[str, NDArray[Any]]:
        """Return a batch of a size, of the arrays again and again."""
        return {name: np.resize(array, (size, *array.shape[1:])) for name, array in self.arrays.items()}

    def of_call(self, picture: tuple[int, int] | None, batch: int) -> dict[str, NDArray[Any]]:
        """Return what a call gets: a batch of arrays, or a picture of this size that the first image is drawn into."""
        if picture is None or self.preparation is None:
            return self.batch(batch)
        return {"picture": draw_picture(self.first[0], self.preparation, picture)[None]}


def _drawn(files: ModelFiles, spec: ArraySpec, random: np.random.Generator) -> NDArray[Any]:
    """Return one random array of a contract: pixels, numbers of its range, or, of integers, 0 and 1."""
    shape, preparation = spec.shape[1:], files.manifest.preprocess
    if spec.kind == "picture" and preparation is not None:  # a lone file with it inside
        shape = (preparation.height, preparation.width, preparation.channels)
    sizes = [size for size in shape if isinstance(size, int)]
    if len(sizes) < len(shape):
        raise ArtifactError(
            f"`{files.path}` must have golden vectors or an input of fixed size. Received: {shape}. "
            "Benchmark the artifact's folder."
        )
    dtype = np.dtype(spec.dtype)
    if dtype.kind != "f":
        highest = 256 if dtype == np.uint8 else 2  # An index into a table of unknown length.
        return random.integers(0, highest, (1, *sizes)).astype(dtype)
    low, high = spec.value_range or (0.0, 1.0)
    return random.uniform(low, high, (1, *sizes)).astype(dtype)
