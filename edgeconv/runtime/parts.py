"""A batch answered in parts, several of them at the same time."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

from numpy.typing import NDArray

from edgeconv.runtime.cores import usable_cores

Answer = TypeVar("Answer")

LARGE = 64
"""Images: to wake another core takes as long as a small model takes for some ten of them."""


def cut(count: int, most: int, calls: int) -> list[slice]:
    """Return the parts of a batch: as few as there may be, or as many as keep all calls busy to the end.

    Args:
        count: images of the batch, at least 1.
        most: images of a part.
        calls: parts that are answered at the same time.

    Example:
        >>> cut(70, 32, 1)
        [slice(0, 32, None), slice(32, 64, None), slice(64, 70, None)]
        >>> cut(70, 32, 2)
        [slice(0, 17, None), slice(17, 35, None), slice(35, 52, None), slice(52, 70, None)]
    """
    if calls == 1:
        return [slice(start, min(start + most, count)) for start in range(0, count, most)]
    number = calls * math.ceil(count / (most * calls))
    edges = [count * place // number for place in range(number + 1)]
    return [slice(start, end) for start, end in pairwise(edges) if start < end]


def answer_parts(
    answer: Callable[[NDArray[Any]], Answer], images: NDArray[Any], *, most: int, calls: int | None
) -> list[Answer]:
    """Return the answers to the parts of a batch, in their order.

    Args:
        answer: answers a part; it is called in several threads, and ONNX Runtime lets go of the interpreter's lock.
        images: the batch, at least 1.
        most: images of a part.
        calls: parts that are answered at the same time; None for one on each core, where a batch is `LARGE`.
    """
    calls = min(len(images), calls or (usable_cores() if len(images) >= LARGE else 1))
    parts = [images[part] for part in cut(len(images), most, calls)]
    if calls == 1 or len(parts) == 1:
        return [answer(part) for part in parts]
    # Threads of a call alone: none is left behind for a process that forks.
    with ThreadPoolExecutor(calls - 1) as pool:
        waiting = [pool.submit(_answers, answer, parts[number::calls]) for number in range(1, calls)]
        shares = [_answers(answer, parts[::calls]), *(share.result() for share in waiting)]
    return [shares[number % calls][number // calls] for number in range(len(parts))]


def _answers(answer: Callable[[NDArray[Any]], Answer], parts: list[NDArray[Any]]) -> list[Answer]:
    return [answer(part) for part in parts]
