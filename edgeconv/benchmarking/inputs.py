"""What models are fed while they are timed: golden vectors again and again, else random arrays of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.pictures.drawing import draw_picture
from edgeconv.preparation import Preparation
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.provider_check import inputs_of

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
        return cls(inputs_of(files), files.manifest.preprocess)

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
