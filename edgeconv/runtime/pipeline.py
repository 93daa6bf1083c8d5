"""From pictures of any size to outputs, in two ways: numpy prepares them for a session, or the graph does."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ArtifactError, EdgeconvWarning, ImageError, InputError
from edgeconv.manifest import Manifest
from edgeconv.manifest_blocks import Boxes
from edgeconv.pictures.decoding import WHOLE, Claim, Draft
from edgeconv.pictures.preparation import is_cropped, prepare
from edgeconv.pictures.reading import read_sized
from edgeconv.preparation import Preparation
from edgeconv.runtime.activation import activated, pending_of
from edgeconv.runtime.session import IMAGES_AT_ONCE, Session

if TYPE_CHECKING:
    from edgeconv.pictures.reading import Picture
    from edgeconv.runtime.embedded import EmbeddedModel

Pixels = NDArray[np.uint8]
"""uint8, (height, width, channels), 0-255."""


MOST_BYTES = 250_000_000
"""What a graph that prepares a picture may take for it: one of 12 megapixels in colour stays as it is."""

_GRAPH_COST = {1: 8, 3: 20, 4: 45}
"""Bytes that it takes for a pixel, by the channels of the picture; measured with ONNX Runtime 1.32."""


class Pipeline(Protocol):
    """What answers pictures.

    Attributes:
        at_once: most pictures that a call takes with profit.
        cost: bytes that an answer takes for each byte of what `prepare` gave, where these are many.
        draft: what of a JPEG is read.
    """

    at_once: ClassVar[int]
    cost: ClassVar[int]
    draft: Draft

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
    cost: ClassVar[int] = 0

    def __init__(self, manifest: Manifest, session: Session, draft: Draft = WHOLE) -> None:
        self.manifest = manifest
        self.draft = draft
        self.session = session
        self._crop = _AssumedCrop(manifest.preprocess)
        self._answers = pending_of(manifest) is None

    def prepare(self, picture: Pixels) -> Pixels:
        """Make of a picture what the model takes; see `Pipeline`."""
        self._crop.warn_of(picture)
        return prepare_for(self.manifest, picture)

    def answer(self, pictures: Sequence[Pixels] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answer prepared pictures; see `Pipeline`."""
        outputs = self.session.run(pictures if isinstance(pictures, np.ndarray) else np.stack(pictures))
        if len(outputs.shape) == 0 or len(outputs) != len(pictures):
            raise ArtifactError(
                f"`{self.manifest.name}` must give a row for each picture. Received: {outputs.shape} for "
                f"{len(pictures)}. Export the model again."
            )
        return outputs if self._answers else activated(self.manifest, outputs)


class DetectorPipeline(PreparedPipeline):
    """Prepares pictures for a detector, whose boxes become detections: (batch, most, 6), see `suppression`."""

    def __init__(self, manifest: Manifest, session: Session, draft: Draft, boxes: Boxes) -> None:
        super().__init__(manifest, session, draft)
        self.boxes = boxes

    def answer(self, pictures: Sequence[Pixels] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answer prepared pictures; see `Pipeline`."""
        from edgeconv.runtime.suppression import detections_of

        outputs = self.session.run_all(pictures if isinstance(pictures, np.ndarray) else np.stack(pictures))
        try:
            return detections_of(self.boxes, outputs)
        except (KeyError, ValueError, IndexError, MemoryError) as error:
            forms = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
            raise ArtifactError(
                f"`{self.manifest.name}` must give boxes and scores as its contract says. Received: {forms}. Export "
                "the model again."
            ) from error


class EmbeddedPipeline:
    """Gives pictures as they are to a model with its preparation inside, one by one."""

    at_once: ClassVar[int] = 1
    cost: ClassVar[int] = 11

    def __init__(self, manifest: Manifest, model: EmbeddedModel, draft: Draft = WHOLE) -> None:
        self.draft = draft
        self.model = model
        self._crop = _AssumedCrop(manifest.preprocess)
        self.boxes = manifest.boxes
        preparation = manifest.preprocess
        self.of_digits = preparation is not None and preparation.kind == "digit"

    def prepare(self, picture: Pixels) -> Pixels:
        """Leave the picture as it is, unless the graph would take too much memory for it; see `Pipeline`."""
        self._crop.warn_of(picture)
        return for_graph(picture)

    def answer(self, pictures: Sequence[Pixels] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answer pictures of any size; see `Pipeline`."""
        if self.boxes is not None:
            from edgeconv.runtime.suppression import detections_of

            return detections_of(self.boxes, self.model.run_all(pictures))
        answers = self.model.run(pictures)
        if self.of_digits and not answers.reshape(len(answers), -1).any(axis=1).all():
            raise ImageError("A picture of a digit is required, no ink found. Write darker, or come closer.")
        return answers


class _AssumedCrop:
    """Warns of the first picture that is cut, where nobody said how pictures are fitted."""

    def __init__(self, preparation: Preparation | None) -> None:
        self._preparation = preparation if preparation is not None and preparation.fit_assumed else None

    def warn_of(self, picture: Pixels) -> None:
        if self._preparation is None or not is_cropped(picture, self._preparation):
            return
        size = f"{self._preparation.height}x{self._preparation.width}"
        self._preparation = None
        warnings.warn(
            f"A picture of {picture.shape[0]}x{picture.shape[1]} does not have the aspect of {size}: only the middle "
            "of it, and of others like it, is seen, because nothing says how to fit pictures. Export the model with "
            "`--fit stretch`, as Keras' image_dataset_from_directory does, `crop` or `pad`.",
            EdgeconvWarning,
            stacklevel=3,
        )


def pipeline_of(manifest: Manifest, session: Session | EmbeddedModel, draft: Draft = WHOLE) -> Pipeline:
    """Return the way of pictures through an open model."""
    if not isinstance(session, Session):
        return EmbeddedPipeline(manifest, session, draft)
    if manifest.boxes is not None:
        return DetectorPipeline(manifest, session, draft, manifest.boxes)
    return PreparedPipeline(manifest, session, draft)


def draft_of(preparation: Preparation | None, *, shrunk: bool = False) -> Draft:
    """Return what of a JPEG a model needs: one that sees greys needs no colours.

    Args:
        preparation: of the model.
        shrunk: whether a JPEG much larger than the model needs is decoded at a part of its size.
    """
    if preparation is None:
        return WHOLE
    least = None
    if shrunk:
        from edgeconv.pictures.drafting import least_size

        least = least_size(preparation)
    return Draft(preparation.channels == 1, least)


def for_graph(picture: Pixels) -> Pixels:
    """Return a picture that a graph prepares: itself, or scaled down where that would take more than MOST_BYTES."""
    most = MOST_BYTES // _GRAPH_COST[picture.shape[2]]
    if picture.shape[0] * picture.shape[1] <= most:
        return picture
    from edgeconv.pictures.bands import scaled_down

    return scaled_down(picture, most)


def prepared_by(pipeline: Pipeline, picture: Picture, claim: Claim = id) -> tuple[Pixels, tuple[int, int]]:
    """Read a picture and do what comes before the model, and tell its height and width; see `read_sized`."""
    pixels, size = read_sized(picture, claim, pipeline.draft)
    return pipeline.prepare(pixels), size


def prepare_for(manifest: Manifest, picture: Pixels) -> Pixels:
    """Make of a picture what a model takes, with numpy, as its training data were made.

    Raises:
        ImageError: there is nothing in the picture to answer to.
        InputError: the model does not say how its pictures are prepared.
    """
    if manifest.preprocess is None and len(manifest.input.shape) != 4:
        raise InputError(
            f"`{manifest.name}` must take a picture to answer one. Received: a model of `{manifest.input.name}`, "
            f"{manifest.input.dtype} ({', '.join(map(str, manifest.input.shape))}). Give it an .npz of arrays by name."
        )
    if manifest.preprocess is None:
        raise InputError(
            f"`{manifest.name}` must say how pixels become its {manifest.input.dtype} input. Received: "
            f"a model exported without it. Export it again with `{_missing(manifest)}`."
        )
    return prepare(picture, manifest.preprocess)


def _missing(manifest: Manifest) -> str:
    any_size = any(isinstance(size, str) for size in manifest.input.shape[1:])
    return "--image-size" if manifest.input.kind == "pixels" and any_size else "--input-range"
