"""Many pictures through one model: decoding overlaps inference, and memory does not grow with their number.

Threads are for pictures that take a while. Reading 28x28 pixels is mostly Python's own work, which holds its lock: two
threads that take the lock from each other need more than twice the time of one.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from time import perf_counter, thread_time
from typing import TYPE_CHECKING

from edgeconv.errors import EdgeconvError, ImageError, InferenceError, InferenceTimeoutError
from edgeconv.runtime.pipeline import Pipeline, Pixels, prepared_by

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from edgeconv.pictures.decoding import Claim
    from edgeconv.pictures.reading import Picture
    from edgeconv.runtime.results import Result

    _Read = tuple[Picture, Pixels | EdgeconvError, tuple[int, ...]]
    _Share = Callable[[], AbstractContextManager[Claim]]
    _Predict = Callable[[NDArray[np.float32], Sequence[tuple[int, ...]]], list[Result]]

DECODERS = 2
"""Threads that decode; Pillow's decoders run outside Python's lock."""

QUICK_SECONDS = 0.001
"""A picture that is read in less time is not worth a thread."""

TIMED = 32
"""One picture of so many is read without a thread, and timed: the others go the way that suits it."""

BATCHES_AHEAD = 2
"""Batches of pictures that are read before their answer is asked for, at most."""


@dataclass(frozen=True)
class Answer:
    """What came of one picture of many.

    Attributes:
        picture: what was given.
        prediction: the answer, or None where there is none.
        error: why there is none: the picture could not be read, or the model answered with no numbers; or None.
    """

    picture: Picture
    prediction: Result | None
    error: EdgeconvError | None = None


def stream(pipeline: Pipeline, predictions: _Predict, pictures: Iterable[Picture]) -> Iterator[Answer]:
    """Answer pictures in their order, one by one, as they are ready.

    Args:
        pipeline: answers pictures.
        predictions: turns outputs, float32, (n, ...), into answers to pictures of these heights and widths.
        pictures: read lazily, `BATCHES_AHEAD` at most.

    Yields:
        One answer a picture. A picture without an answer gives one with its `error`, and the others go on.
    """

    def read(picture: Picture, share: _Share) -> _Read:
        try:
            with share() as claim:
                return picture, *prepared_by(pipeline, picture, claim)
        except ImageError as error:
            _let_go(error)
            return picture, error, ()

    waiting = iter(pictures)
    head = list(islice(waiting, 2))
    if len(head) < 2:  # One picture is the common case, and starting threads for it costs more than it gains.
        yield from _answers(pipeline, predictions, [read(picture, _alone) for picture in head], _alone)
        return
    from concurrent.futures import ThreadPoolExecutor

    from edgeconv.pictures.budget import PICTURE_BYTES
    from edgeconv.runtime.room import Room

    room = Room(PICTURE_BYTES)
    with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as decoders:
        ahead: deque[_Read | Future[_Read]] = deque()
        quick, due = False, 0
        for number, picture in enumerate(chain(head, waiting)):
            if number == due:
                # While others decode, this thread waits for Python's lock: then its own time alone tells something.
                alone = all(isinstance(one, tuple) or one.done() for one in ahead)
                clock = perf_counter if alone else thread_time
                begun = clock()
                ahead.append(read(picture, room.share))
                quick = clock() - begun < QUICK_SECONDS
                due += 1 if quick and not alone else TIMED
            else:
                ahead.append(read(picture, room.share) if quick else decoders.submit(read, picture, room.share))
            if len(ahead) == BATCHES_AHEAD * pipeline.at_once:
                yield from _answers(pipeline, predictions, _next_batch(ahead, pipeline.at_once), room.share)
        while ahead:
            yield from _answers(pipeline, predictions, _next_batch(ahead, pipeline.at_once), room.share)


@contextmanager
def _alone() -> Iterator[Claim]:
    yield id


def _let_go(error: BaseException | None) -> None:
    """Let go of the pictures that an error holds by its traceback, and the errors behind it by theirs."""
    from traceback import clear_frames

    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _next_batch(ahead: deque[_Read | Future[_Read]], size: int) -> list[_Read]:
    batch = [ahead.popleft() for _ in range(min(size, len(ahead)))]
    return [one if isinstance(one, tuple) else one.result() for one in batch]


def _answers(pipeline: Pipeline, predictions: _Predict, batch: list[_Read], share: _Share) -> Iterator[Answer]:
    ready = [read for _, read, _ in batch if not isinstance(read, EdgeconvError)]
    sizes = [size for _, _, size in batch if size]
    try:
        with share() as claim:
            claim(pipeline.cost * sum(picture.nbytes for picture in ready))
            predicted = iter(predictions(pipeline.answer(ready), sizes) if ready else ())
    except ImageError as error:  # The graph finds out what numpy finds out in `prepare`, on one picture at a time.
        batch, predicted = [(picture, error, ()) for picture, _, _ in batch], iter(())
    except InferenceTimeoutError:  # Another picture would take as long.
        raise
    except InferenceError as error:
        if len(batch) > 1:
            for one in batch:
                yield from _answers(pipeline, predictions, [one], share)
            return
        picture = batch[0][0]
        named = InferenceError(f"{picture}: {error}") if isinstance(picture, str | os.PathLike) else error
        batch, predicted = [(picture, named, ())], iter(())
    for picture, read, _ in batch:
        yield Answer(picture, None, read) if isinstance(read, EdgeconvError) else Answer(picture, next(predicted))
