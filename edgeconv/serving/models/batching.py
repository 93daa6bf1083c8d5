"""Requests become batches: what came in while the last batch ran is the next one, and nothing waits for company."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InferenceTimeoutError, InputError
from edgeconv.serving.errors import RequestError

Arrays = Mapping[str, NDArray[Any]]


class Model(Protocol):
    """What answers batches; `ServedModel` is one."""

    @property
    def name(self) -> str:
        """That errors call it by."""

    @property
    def merges(self) -> bool:
        """Whether rows of several requests may be answered together."""

    def rows_of(self, arrays: Arrays) -> int:
        """Return how many rows a request has."""

    def run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Answer arrays by name."""


class Observer(Protocol):
    """Hears of each batch and of each request; see `metrics`."""

    def batch(self, rows: int, seconds: float) -> None:
        """Hear of a call of the model."""

    def requests(self, count: int, queued: float, seconds: float) -> None:
        """Hear of requests that were answered: their times in the queue and in all, added up."""

    def failure(self, reason: str) -> None:
        """Hear of a request that was refused or failed."""

    def waiting(self, count: int) -> None:
        """Hear how many requests wait."""


@dataclass(slots=True, eq=False)
class _Job:
    arrays: Arrays
    rows: int
    form: Any
    answer: asyncio.Future[dict[str, NDArray[Any]]]
    begin: float


class Batcher:
    """Feeds one model with the requests of an event loop.

    Args:
        model: answers.
        observer: hears of it.
        executor: of the threads that call the model; None calls it in the loop's own thread, which is faster where a
            call is shorter than handing it over.
        workers: calls at once, with an executor.
        max_batch: most rows of a batch, and of a request.
        max_queue: most requests that wait.
        queue_timeout: seconds that a request may wait.
    """

    def __init__(
        self,
        model: Model,
        observer: Observer,
        *,
        executor: Executor | None = None,
        workers: int = 1,
        max_batch: int,
        max_queue: int,
        queue_timeout: float,
    ) -> None:
        self.model = model
        self._observer = observer
        self._executor = executor
        self._free = workers
        self.max_batch, self._max_queue, self._queue_timeout = max_batch, max_queue, queue_timeout
        self._queue: deque[_Job] = deque()
        self._loop = asyncio.get_running_loop()
        self._woken = False

    def submit(self, arrays: Arrays) -> asyncio.Future[dict[str, NDArray[Any]]]:
        """Return what will be the answer to arrays by name.

        Raises:
            InputError: they have more rows than a batch.
            RequestError: too many wait already.
        """
        rows = self.model.rows_of(arrays)
        if rows < 1:
            raise InputError(f"`{self.model.name}` answers rows. Received: none. Send one at least.")
        if rows > self.max_batch:
            raise InputError(
                f"`{self.model.name}` answers at most {self.max_batch} rows a request. Received: {rows}. Send them in "
                "parts, or serve with a larger `--max-batch`."
            )
        if len(self._queue) >= self._max_queue:
            self._observer.failure("REJECTED")
            raise queue_full(self.model.name, self._max_queue)
        answer = self._loop.create_future()
        self._queue.append(_Job(arrays, rows, self._form(arrays), answer, time.perf_counter()))
        if not self._woken:
            self._woken = True
            # Behind whatever else arrived in this turn of the loop, which thereby is in the same batch.
            self._loop.call_soon(self._wake)
        return answer

    def _form(self, arrays: Arrays) -> Any:
        """Return what requests must have in common to be answered together."""
        if not self.model.merges:
            return None
        return tuple((name, array.dtype, array.shape[1:]) for name, array in sorted(arrays.items()))

    def _wake(self) -> None:
        self._woken = False
        while self._queue and self._free:
            jobs = self._take()
            if not jobs:
                continue
            if self._executor is None:
                self._finish(jobs, _answer(self.model, jobs))
                break  # Others have their turn before the next batch.
            self._free -= 1
            self._loop.run_in_executor(self._executor, self._work, jobs)
        self._observer.waiting(len(self._queue))
        if self._queue and self._free and not self._woken:
            self._woken = True
            self._loop.call_soon(self._wake)

    def _take(self) -> list[_Job]:
        """Take the requests of the next batch out of the queue, in their order, without those that nobody awaits."""
        jobs: list[_Job] = []
        rows, late = 0, time.perf_counter() - self._queue_timeout
        while self._queue:
            job = self._queue[0]
            if job.answer.done():
                self._queue.popleft()
            elif job.begin < late:
                self._queue.popleft()
                self._observer.failure("TIMEOUT")
                job.answer.set_exception(_too_late(self.model.name, self._queue_timeout))
            elif not jobs or (job.form == jobs[0].form is not None and rows + job.rows <= self.max_batch):
                jobs.append(self._queue.popleft())
                rows += job.rows
            else:
                break
        return jobs

    def _work(self, jobs: Sequence[_Job]) -> None:
        """Answer a batch, in a thread."""
        answered = _answer(self.model, jobs)
        self._loop.call_soon_threadsafe(self._return, jobs, answered)

    def _return(self, jobs: Sequence[_Job], answered: _Answered) -> None:
        self._free += 1
        self._finish(jobs, answered)
        self._wake()

    def _finish(self, jobs: Sequence[_Job], answered: _Answered) -> None:
        for rows, seconds in answered.calls:
            self._observer.batch(rows, seconds)
        now, good, arrived = time.perf_counter(), 0, 0.0
        for job, found in zip(jobs, answered.answers, strict=True):
            if isinstance(found, BaseException):
                self._observer.failure("BACKEND")
                if not job.answer.done():
                    job.answer.set_exception(found)
                continue
            good, arrived = good + 1, arrived + job.begin
            if not job.answer.done():
                job.answer.set_result(found)
        if good:
            self._observer.requests(good, good * answered.begin - arrived, good * now - arrived)


@dataclass(slots=True)
class _Answered:
    begin: float
    calls: list[tuple[int, float]]
    answers: list[dict[str, NDArray[Any]] | BaseException]


def _answer(model: Model, jobs: Sequence[_Job]) -> _Answered:
    """Answer requests together; where that fails each by itself, so that one alone gets its error."""
    begin = time.perf_counter()
    answered = _Answered(begin, [], [])
    try:
        found = model.run(jobs[0].arrays if len(jobs) == 1 else _together(jobs))
        answered.calls.append((sum(job.rows for job in jobs), time.perf_counter() - begin))
        answered.answers.extend([found] if len(jobs) == 1 else _apart(found, jobs))
    except InferenceTimeoutError as error:  # Each by itself might take as long.
        answered.answers[:] = [error] * len(jobs)
    except Exception as error:
        if len(jobs) == 1:
            answered.answers[:] = [error]
        else:
            alone = [_answer(model, [job]) for job in jobs]
            answered.calls[:] = [call for one in alone for call in one.calls]
            answered.answers[:] = [answer for one in alone for answer in one.answers]
    return answered


def _together(jobs: Sequence[_Job]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([job.arrays[name] for job in jobs]) for name in jobs[0].arrays}


def _apart(found: Arrays, jobs: Sequence[_Job]) -> list[dict[str, NDArray[Any]]]:
    parts, end = [], 0
    for job in jobs:
        begin, end = end, end + job.rows
        parts.append({name: array[begin:end] for name, array in found.items()})
    return parts


def queue_full(model: str, most: int) -> RequestError:
    """Return the error of a request that comes when as many wait as may."""
    message = f"`{model}` must have fewer than {most} waiting requests. Received: one more. Try again in a moment."
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, message)


def _too_late(model: str, seconds: float) -> RequestError:
    message = f"`{model}` must answer within {seconds:g} seconds. Received: a request that waited as long. Try again."
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, message)
