"""A model that answers requests: arrays by name, or pictures in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError, InputError
from edgeconv.manifest import Manifest
from edgeconv.runtime.activation import activated
from edgeconv.runtime.embedded import INPUT as PICTURE
from edgeconv.runtime.embedded import PREPARED
from edgeconv.runtime.pipeline import for_graph, prepare_for
from edgeconv.runtime.runner import BATCH, Runner
from edgeconv.variants import takes_pictures

Arrays = Mapping[str, NDArray[Any]]

VERSION = "1"
"""Of every model: the protocol asks for one, and an artifact has none."""


class ServedModel:
    """An open model under the name that clients call it by.

    Args:
        name: that clients use.
        runner: the open model.
        contract: of its artifact; that of a file with the preparation inside is the runner's.
        samples: its golden vectors, or None.

    Attributes:
        embedded: whether its preparation of pictures is inside: a picture goes in as it is, one at a time.
        of_pictures: whether it answers pictures in files.
        batched: whether its arrays have rows, as many as a request has.
        merges: whether rows of several requests may be answered together: those of a model of pictures, and of others
            once golden vectors show that no row looks at another.
    """

    def __init__(self, name: str, runner: Runner, contract: Manifest, samples: Path | None) -> None:
        self.name = name
        self.runner = runner
        self.contract = contract
        self.samples = samples
        self.manifest = runner.manifest
        self.inputs = {spec.name: spec for spec in runner.inputs}
        self.outputs = {spec.name: spec for spec in runner.outputs}
        self.embedded = takes_pictures(runner.variant)
        self.of_pictures = self.embedded or (self.manifest.takes_picture and self.manifest.preprocess is not None)
        ends = (*self.inputs.values(), *self.outputs.values())
        self.batched = not self.embedded and all(spec.shape[:1] == (BATCH,) for spec in ends)

        self.merges = self.batched and self.manifest.takes_picture

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes of the first output; none where it has other numbers."""
        first = next(iter(self.outputs.values()))
        return self.manifest.labels if first.shape[-1:] == (len(self.manifest.labels),) else ()

    @property
    def of_digits(self) -> bool:
        """Whether its pictures are searched for a digit."""
        return self.manifest.preprocess is not None and self.manifest.preprocess.kind == "digit"

    def rows_of(self, arrays: Arrays) -> int:
        """Return how many rows a request has; 1 where the model has no batches."""
        if not self.batched:
            return 1
        array = arrays.get(next(iter(self.inputs)))
        return len(array) if array is not None and array.ndim else 1

    def run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Answer arrays by name; see `Runner.run`."""
        return self.runner.run(arrays)

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Do what comes before the model, for one picture.

        Raises:
            ImageError: there is nothing in it to answer to.
        """
        return for_graph(pixels) if self.embedded else prepare_for(self.manifest, pixels)[None]

    def feed(self, prepared: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return the arrays of a picture that `prepare` gave."""
        return {PICTURE if self.embedded else self.manifest.input.name: prepared}

    def picture_outputs(
        self, prepared: NDArray[np.uint8], answers: Arrays, *, with_prepared: bool
    ) -> dict[str, NDArray[Any]]:
        """Return what a picture is answered: the outputs behind what is pending of the first.

        Args:
            prepared: what `prepare` gave.
            answers: of the model to it.
            with_prepared: whether `prepared` is among them, what the model was fed: uint8, (1, height, width,
                channels), 0-255.

        Raises:
            ImageError: there is nothing in the picture to answer to, and `prepared` does not show it.
        """
        first = self.manifest.output.name
        if not self.embedded:
            answers = {**answers, first: activated(self.manifest, answers[first])}
            return {**answers, PREPARED: prepared} if with_prepared else dict(answers)
        blank = self.of_digits and not answers[first].any()
        if not with_prepared:
            if blank:
                raise ImageError("A picture of a digit is required, no ink found. Write darker, or come closer.")
            return dict(answers)
        return self.blank_outputs() if blank else {**answers, PREPARED: prepare_for(self.manifest, prepared)[None]}

    def blank_outputs(self) -> dict[str, NDArray[Any]]:
        """Return zeros, as the variant e2e answers a picture in which there is no digit, and `prepared` of zeros."""
        preparation = self.manifest.preprocess
        if preparation is None:
            raise ValueError("a model that takes no pictures")
        made = {
            name: np.zeros([1, *(size if isinstance(size, int) else 1 for size in spec.shape[1:])], spec.dtype)
            for name, spec in self.outputs.items()
        }
        fed = np.zeros((1, preparation.height, preparation.width, preparation.channels), np.uint8)
        return {**made, PREPARED: fed}

    def check_outputs(self, names: Sequence[str], *, of_picture: bool) -> None:
        """Raise InputError where an output is asked for that the model has not."""
        known = {*self.outputs, *([PREPARED] if of_picture else [])}
        for name in names:
            if name not in known:
                raise InputError(
                    f"`{self.name}` answers with {', '.join(known)}. Received: a request for `{name[:100]}`. "
                    "Leave `outputs` out for all."
                )
