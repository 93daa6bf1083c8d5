"""Batches of requests: what is together, what is not, and that nobody gets another's answer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeconv.errors import InferenceError, InferenceTimeoutError, InputError
from edgeconv.serving.errors import RequestError
from edgeconv.serving.models.batching import Batcher


class Doubling:
    """A model that doubles rows, remembers the sizes of its batches, and fails on a row of -1."""

    name = "doubling"
    merges = True

    def __init__(self, seconds: float = 0.0) -> None:
        self.sizes: list[int] = []
        self.threads: set[int] = set()
        self.seconds = seconds

    def rows_of(self, arrays: Mapping[str, NDArray[Any]]) -> int:
        return len(arrays["x"])

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.sizes.append(len(arrays["x"]))
        self.threads.add(threading.get_ident())
        time.sleep(self.seconds)
        if (arrays["x"] == -1).any():
            raise InferenceError("a row of -1")
        if (arrays["x"] == -2).any():
            raise InferenceTimeoutError("too long")
        return {"y": arrays["x"] * 2}


class Heard:
    """Hears of requests."""

    def __init__(self) -> None:
        self.answered = 0
        self.rows = 0
        self.failures: list[str] = []

    def batch(self, rows: int, seconds: float) -> None:
        assert seconds >= 0
        self.rows += rows

    def requests(self, count: int, queued: float, seconds: float) -> None:
        assert 0 <= queued <= seconds
        self.answered += count

    def failure(self, reason: str) -> None:
        self.failures.append(reason)

    def waiting(self, count: int) -> None:
        assert count >= 0


def row(*numbers: float) -> dict[str, NDArray[Any]]:
    return {"x": np.array(numbers, np.float32)[:, None]}


def batched(
    use: Callable[[Batcher], Any], model: Doubling, heard: Heard | None = None, *, workers: int = 0, **options: Any
) -> Any:
    """Run a coroutine function with a batcher; with workers in threads."""

    async def body() -> Any:
        with ThreadPoolExecutor(max(1, workers)) as pool:
            settings = {"max_batch": 4, "max_queue": 100, "queue_timeout": 30.0, **options}
            executor = pool if workers else None
            batcher = Batcher(model, heard or Heard(), executor=executor, workers=max(1, workers), **settings)
            return await use(batcher)

    return asyncio.run(body())


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_what_came_in_together_is_answered_together_and_each_with_its_own(workers: int) -> None:
    model, heard = Doubling(0.002 if workers else 0.0), Heard()

    async def use(batcher: Batcher) -> None:
        found = await asyncio.gather(*(batcher.submit(row(number, number + 0.5)) for number in range(11)))
        for number, answer in enumerate(found):
            assert answer["y"].ravel().tolist() == [2 * number, 2 * number + 1]

    batched(use, model, heard, workers=workers)
    assert max(model.sizes) == 4, "two requests of two rows fill a batch of four"
    assert sum(model.sizes) == 22 == heard.rows
    assert (heard.answered, heard.failures) == (11, [])
    assert (threading.get_ident() in model.threads) == (workers == 0)


def test_rows_that_look_at_each_other_are_not_put_together() -> None:
    model = Doubling()
    model.merges = False
    batched(lambda batcher: asyncio.gather(*(batcher.submit(row(1)) for _ in range(5))), model)
    assert model.sizes == [1] * 5


def test_other_shapes_and_types_are_answered_apart() -> None:
    model = Doubling()
    wide = {"x": np.ones((1, 2), np.float32)}
    others = [row(1), row(2), wide, {"x": np.ones((1, 1), np.float64)}, row(3)]
    found = batched(lambda batcher: asyncio.gather(*map(batcher.submit, others)), model)
    assert model.sizes == [2, 1, 1, 1]
    assert found[2]["y"].shape == (1, 2)


@pytest.mark.parametrize("workers", [0, 1])
def test_one_bad_request_fails_alone(workers: int) -> None:
    heard = Heard()

    async def use(batcher: Batcher) -> list[Any]:
        coming = [batcher.submit(row(number)) for number in (1, -1, 3)]
        return list(await asyncio.gather(*coming, return_exceptions=True))

    first, bad, last = batched(use, Doubling(), heard, workers=workers)
    assert (first["y"], last["y"]) == (2, 6)
    assert isinstance(bad, InferenceError)
    assert (heard.answered, heard.failures) == (2, ["BACKEND"])


def test_a_call_that_took_too_long_is_not_tried_again_row_by_row() -> None:
    model = Doubling()

    async def use(batcher: Batcher) -> list[Any]:
        return list(await asyncio.gather(*map(batcher.submit, (row(1), row(-2))), return_exceptions=True))

    assert all(isinstance(one, InferenceTimeoutError) for one in batched(use, model))
    assert model.sizes == [2]


def test_a_full_queue_refuses_and_goes_on() -> None:
    heard = Heard()

    async def use(batcher: Batcher) -> None:
        coming = [batcher.submit(row(number)) for number in range(3)]
        with pytest.raises(RequestError, match="fewer than 3 waiting requests"):
            batcher.submit(row(9))
        assert [answer["y"].item() for answer in await asyncio.gather(*coming)] == [0, 2, 4]
        assert (await batcher.submit(row(5)))["y"] == 10

    batched(use, Doubling(), heard, max_queue=3)
    assert heard.failures == ["REJECTED"]


def test_who_waited_too_long_is_told_so() -> None:
    heard = Heard()

    async def use(batcher: Batcher) -> None:
        first, late = batcher.submit(row(1, 1, 1, 1)), batcher.submit(row(2))
        assert (await first)["y"].tolist() == [[2]] * 4
        with pytest.raises(RequestError, match=r"within 0\.01 seconds"):
            await late

    batched(use, Doubling(0.05), heard, queue_timeout=0.01)
    assert heard.failures == ["TIMEOUT"]


def test_who_gave_up_is_not_answered() -> None:
    model = Doubling()

    async def use(batcher: Batcher) -> None:
        gone, there = batcher.submit(row(1)), batcher.submit(row(2))
        gone.cancel()
        assert (await there)["y"] == 4

    batched(use, model)
    assert model.sizes == [1]


@pytest.mark.parametrize(("rows", "words"), [((), "Received: none"), ((1,) * 5, "at most 4 rows a request")])
def test_rows_are_some_and_no_more_than_a_batch(rows: tuple[int, ...], words: str) -> None:
    async def use(batcher: Batcher) -> None:
        with pytest.raises(InputError, match=words):
            batcher.submit(row(*rows))

    batched(use, Doubling())
