"""From tensors or pictures to what a model answers: what HTTP and gRPC share."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError, InputError
from edgeconv.runtime.answering import results_of
from edgeconv.runtime.embedded import INPUT as PICTURE
from edgeconv.runtime.embedded import PREPARED
from edgeconv.runtime.results import Result
from edgeconv.serving.models.batching import Batcher
from edgeconv.serving.models.pictures import PictureReader
from edgeconv.serving.models.repository import Repository
from edgeconv.serving.models.served_model import VERSION, ServedModel
from edgeconv.serving.protocol.request import InferenceRequest
from edgeconv.serving.protocol.response import InferenceAnswer


@dataclass(frozen=True, slots=True)
class AnsweredPicture:
    """What a picture was answered.

    Attributes:
        outputs: arrays by name, one row each, with nothing pending of the first.
        size: height and width of the picture in its file.
    """

    outputs: dict[str, NDArray[Any]]
    size: tuple[int, int]


class Answering:
    """The models of a server, and what reads pictures for them."""

    def __init__(self, repository: Repository, pictures: PictureReader) -> None:
        self.repository = repository
        self._pictures = pictures

    async def infer(self, name: str, version: str | None, request: InferenceRequest) -> InferenceAnswer:
        """Answer a request of the protocol.

        Raises:
            InputError: it does not fit the model.
            RequestError: the model is not there, or has no time.
        """
        model, batcher = self.repository.ready(name, version)
        return InferenceAnswer(name, VERSION, await self.outputs(model, batcher, request), model.labels)

    def outputs(
        self, model: ServedModel, batcher: Batcher, request: InferenceRequest
    ) -> asyncio.Future[dict[str, NDArray[Any]]]:
        """Return what will be the outputs of a model, by name.

        Args:
            model: that is ready.
            batcher: feeds it.
            request: of the protocol.

        Raises:
            InputError: the request does not fit the model.
            RequestError: the model has no time.
        """
        wanted = [output.name for output in request.outputs]
        given = request.inputs.get(PICTURE)
        if isinstance(given, list) and model.of_pictures:
            model.check_outputs(wanted, of_picture=True)
            if len(request.inputs) > 1:
                raise InputError(f"A picture comes alone. Received: {', '.join(request.inputs)}. Leave the others out.")
            return asyncio.ensure_future(self._of_pictures(model, batcher, given, with_prepared=PREPARED in wanted))
        model.check_outputs(wanted, of_picture=False)
        arrays: dict[str, NDArray[Any]] = {}
        for key, tensor in request.inputs.items():
            if isinstance(tensor, list):
                raise InputError(f"`{key[:100]}` must hold numbers. Received: strings. Send an array of them.")
            arrays[key] = tensor
        model.runner.check(arrays)
        return batcher.submit(arrays)

    async def _of_pictures(
        self, model: ServedModel, batcher: Batcher, files: Sequence[bytes], *, with_prepared: bool
    ) -> dict[str, NDArray[Any]]:
        found = await self._many(model, batcher, list(map(_unwrapped, files)), with_prepared=with_prepared)
        names = [*model.outputs, PREPARED] if with_prepared else list(model.outputs)
        return {name: np.concatenate([one.outputs[name] for one in found]) for name in names}

    async def pictures(
        self, name: str, pictures: Sequence[bytes], *, top_k: int, threshold: float | None
    ) -> list[Result | Exception]:
        """Answer pictures in files, each by itself: one that cannot be read gives its error, and the others go on.

        Raises:
            InputError: the model takes no pictures.
            RequestError: the model is not there, or has no time.
        """
        model, batcher = self.repository.ready(name)
        if not model.of_pictures:
            raise InputError(
                f"`{name}` takes {', '.join(model.inputs)}. Received: a picture. Send arrays to "
                f"`/v2/models/{name}/infer`."
            )
        self._check_count(batcher, len(pictures))
        found = await asyncio.gather(
            *(self._one(model, batcher, content, with_prepared=False) for content in pictures), return_exceptions=True
        )
        return [_result(model, one, top_k, threshold) for one in found]

    async def _many(
        self, model: ServedModel, batcher: Batcher, pictures: Sequence[bytes], *, with_prepared: bool
    ) -> list[AnsweredPicture]:
        if not pictures:
            raise InputError(f"`{PICTURE}` must hold pictures. Received: none. Send one at least.")
        self._check_count(batcher, len(pictures))
        coming = [
            asyncio.ensure_future(self._one(model, batcher, one, with_prepared=with_prepared)) for one in pictures
        ]
        try:
            return list(await asyncio.gather(*coming))
        except BaseException:
            for one in coming:
                one.cancel()
            raise

    async def _one(
        self, model: ServedModel, batcher: Batcher, content: bytes, *, with_prepared: bool
    ) -> AnsweredPicture:
        picture = await self._pictures.read(model, content, may_be_blank=with_prepared)
        if picture.array is None:
            return AnsweredPicture(model.blank_outputs(), picture.size)
        answers = await batcher.submit(model.feed(picture.array))
        return AnsweredPicture(model.picture_outputs(picture.array, answers, with_prepared=with_prepared), picture.size)

    def _check_count(self, batcher: Batcher, count: int) -> None:
        if count > batcher.max_batch:
            raise too_many(batcher.max_batch, count)


def too_many(most: int, count: int) -> InputError:
    """Return the error of a request that has more pictures than a batch."""
    return InputError(
        f"A request takes at most {most} pictures. Received: {count}. Send them in parts, or serve with a larger "
        "`--max-batch`."
    )


def _result(
    model: ServedModel, found: AnsweredPicture | BaseException, top_k: int, threshold: float | None
) -> Result | Exception:
    """Return what a picture was answered, or why it was not."""
    if isinstance(found, ImageError):
        return found
    if isinstance(found, BaseException):
        raise found
    manifest = model.manifest
    if manifest.boxes is not None:
        from edgeconv.runtime.suppression import detections_of

        rows = detections_of(manifest.boxes, found.outputs)
    else:
        rows = found.outputs[manifest.output.name]
    return results_of(manifest, rows, top_k=top_k, threshold=threshold, sizes=[found.size])[0]


def _unwrapped(content: bytes) -> bytes:
    """Return the bytes of a picture, also where JSON could carry them in base64 only."""
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        return content
