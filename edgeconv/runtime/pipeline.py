"""From pictures of any size to outputs, in two ways: numpy prepares them for a session, or the graph does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError, InputError
from edgeconv.manifest import Manifest
from edgeconv.pictures.preparation import prepare
from edgeconv.runtime.activation import activated
from edgeconv.runtime.session import IMAGES_AT_ONCE, Session

if TYPE_CHECKING:
    from edgeconv.runtime.embedded import EmbeddedModel

Pixels = NDArray[np.uint8]
"""uint8, (height, width, channels), 0-255."""


class Pipeline(Protocol):
    """What answers pictures.

    Attributes:
        at_once: most pictures that a call takes with profit.
    """

    at_once: ClassVar[int]

    def prepare(self, picture: Pixels) -> Pixels:
        """Do what comes before the model, for one picture of any size and 1, 3 or 4 channels; in any thread.

        Raises:
            ImageError: there is nothing in the picture to answer to.
        """

    def answer(self, pictures: Sequence[Pixels] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answer what `prepare` gave: float32, (number of pictures, ...), behind what is pending; classes 0 to 1.

        Raises:
            ImageError: there is nothing in one of the pictures to answer to.
            InputError: they have another dtype or shape.
        """


class PreparedPipeline:
    """Prepares pictures with numpy, and gives them to a model's session, many at once."""

    at_once: ClassVar[int] = IMAGES_AT_ONCE

    def __init__(self, manifest: Manifest, session: Session) -> None:
        self.manifest = manifest
        self.session = session

    def prepare(self, picture: Pixels) -> Pixels:
        """Make of a picture what the model takes; see `Pipeline`."""
        return prepare_for(self.manifest, picture)

    def answer(self, pictures: Sequence[Pixels] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answer prepared pictures; see `Pipeline`."""
        outputs = self.session.run(pictures if isinstance(pictures, np.ndarray) else np.stack(pictures))
        return activated(self.manifest, outputs)


class EmbeddedPipeline:
    """Gives pictures as they are to a model with its preparation inside, one by one."""

    at_once: ClassVar[int] = 1

    def __init__(self, model: EmbeddedModel, *, of_digits: bool) -> None:
        self.model = model
        self.of_digits = of_digits

    def prepare(self, picture: Pixels) -> Pixels:
        """Leave the picture as it is; see `Pipeline`."""
        return picture

    def answer(self, pictures: Sequence[Pixels] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answer pictures of any size; see `Pipeline`."""
        answers = self.model.run(pictures)
        if self.of_digits and not answers.reshape(len(answers), -1).any(axis=1).all():
            raise ImageError("A picture of a digit is required, no ink found. Write darker, or come closer.")
        return answers


def pipeline_of(manifest: Manifest, session: Session | EmbeddedModel) -> Pipeline:
    """Return the way of pictures through an open model."""
    if isinstance(session, Session):
        return PreparedPipeline(manifest, session)
    preparation = manifest.preprocess
    return EmbeddedPipeline(session, of_digits=preparation is not None and preparation.kind == "digit")


def prepare_for(manifest: Manifest, picture: Pixels) -> Pixels:
    """Make of a picture what a model takes, with numpy, as its training data were made.

    Raises:
        ImageError: there is nothing in the picture to answer to.
        InputError: the model does not say how its pictures are prepared.
    """
    if manifest.preprocess is None:
        raise InputError(
            f"`{manifest.name}` must say how pixels become its {manifest.input.dtype} input. Received: "
            f"a model exported without it. Export it again with `{_missing(manifest)}`."
        )
    return prepare(picture, manifest.preprocess)


def _missing(manifest: Manifest) -> str:
    any_size = any(isinstance(size, str) for size in manifest.input.shape[1:])
    return "--image-size" if manifest.input.kind == "pixels" and any_size else "--input-range"
