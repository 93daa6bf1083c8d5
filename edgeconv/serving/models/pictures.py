"""Pictures in files become what a model takes, in threads: decoding takes longer than a small model does."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError
from edgeconv.pictures.budget import PICTURE_BYTES
from edgeconv.pictures.decoding import open_image, pixels_of
from edgeconv.runtime.room import Room
from edgeconv.serving.config import Limits
from edgeconv.serving.models.batching import queue_full
from edgeconv.serving.models.served_model import ServedModel

_NAME = "<picture>"


class PreparedPicture(NamedTuple):
    """A picture as a model takes it, and its height and width in its file; no array where nothing is found in it."""

    array: NDArray[np.uint8] | None
    size: tuple[int, int]


class PictureReader:
    """Reads pictures for all models of a server.

    Args:
        executor: of the threads that read.
        limits: what one client may ask for.
    """

    def __init__(self, executor: Executor, limits: Limits) -> None:
        self._executor = executor
        self._limits = limits
        self._room = Room(PICTURE_BYTES)
        self._waiting = 0

    async def read(self, model: ServedModel, content: bytes, *, may_be_blank: bool) -> PreparedPicture:
        """Return a picture as a model takes it.

        Args:
            model: that is to answer.
            content: of the picture's file.
            may_be_blank: whether it may have nothing in it to answer to.

        Raises:
            ImageError: it cannot be read, is too large, or is blank and may not be.
            RequestError: too many wait already.
        """
        if self._waiting >= self._limits.max_queue:
            raise queue_full(model.name, self._limits.max_queue)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, self._read, model, content, may_be_blank
            )
        finally:
            self._waiting -= 1

    def _read(self, model: ServedModel, content: bytes, may_be_blank: bool) -> PreparedPicture:
        with self._room.share() as claim, open_image(content, _NAME, claim) as (image, file):
            if image.width * image.height > self._limits.max_pixels:
                raise ImageError(
                    f"{_NAME}: at most {self._limits.max_pixels:,} pixels are required. Received: {image.width}x"
                    f"{image.height}. Scale it down first."
                )
            pixels, size = pixels_of(image, _NAME, claim, file)
            try:
                return PreparedPicture(model.prepare(pixels), size)
            except ImageError:
                if not (may_be_blank and model.of_digits):
                    raise
                return PreparedPicture(None, size)
