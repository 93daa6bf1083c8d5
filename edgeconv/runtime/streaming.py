"""Many pictures through one model: decoding overlaps inference, and memory does not grow with their number."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError
from edgeconv.pictures.decoding import decode
from edgeconv.runtime.predictor import Prediction, Predictor
from edgeconv.runtime.session import IMAGES_AT_ONCE

if TYPE_CHECKING:
    from concurrent.futures import Future

DECODERS = 2
"""Threads that decode; Pillow's decoders run outside Python's lock."""

Picture = str | Path | bytes
_Read = NDArray[np.uint8] | ImageError


@dataclass(frozen=True)
class Answer:
    """What came of one picture: its name, and either a prediction or the reason why there is none."""

    path: str
    prediction: Prediction | None
    error: ImageError | None

    def as_dict(self) -> dict[str, Any]:
        """Return the row that is printed."""
        return {"path": self.path, **(self.prediction.as_dict() if self.prediction else {"error": str(self.error)})}


def predict_stream(predictor: Predictor, pictures: Iterable[tuple[str, Picture]]) -> Iterator[Answer]:
    """Answer pictures in their order, one by one, as they are ready.

    Args:
        predictor: the model.
        pictures: name, and path or bytes of each; read lazily, a few batches ahead.

    Yields:
        One answer a picture. A picture that cannot be read gives an answer with its `error`, and the others go on.

    Example:
        >>> for answer in predict_stream(model, [("a.png", Path("a.png"))]):  # doctest: +SKIP
        ...     print(answer.path, answer.prediction.label)
    """

    def read(picture: Picture) -> _Read:
        try:
            return predictor.prepare(decode(picture))
        except ImageError as error:
            return error

    waiting = iter(pictures)
    head = list(islice(waiting, 2))
    if len(head) < 2:  # One picture is the common case, and starting threads for it costs more than it gains.
        yield from _answers(predictor, [(name, read(picture)) for name, picture in head])
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as decoders:
        ahead: deque[tuple[str, Future[_Read]]] = deque()
        for name, picture in chain(head, waiting):
            ahead.append((name, decoders.submit(read, picture)))
            if len(ahead) == 2 * IMAGES_AT_ONCE:
                yield from _answers(predictor, _next_batch(ahead))
        while ahead:
            yield from _answers(predictor, _next_batch(ahead))


def _next_batch(ahead: deque[tuple[str, Future[_Read]]]) -> list[tuple[str, _Read]]:
    taken = [ahead.popleft() for _ in range(min(IMAGES_AT_ONCE, len(ahead)))]
    return [(name, future.result()) for name, future in taken]


def _answers(predictor: Predictor, batch: list[tuple[str, _Read]]) -> Iterator[Answer]:
    images = [image for _, image in batch if not isinstance(image, ImageError)]
    predictions = iter(predictor.predict_batch(np.stack(images)) if images else ())
    for name, image in batch:
        if isinstance(image, ImageError):
            yield Answer(name, None, image)
        else:
            yield Answer(name, next(predictions), None)
