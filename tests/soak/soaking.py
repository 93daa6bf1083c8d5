"""Threads that share a model and ask it again and again: arrays, pictures of several kinds, and files that are none."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.runtime.predictor import Predictor

AT_ONCE = 100
"""Predictions between two looks at the clock and at the memory."""


@dataclass(frozen=True)
class Question:
    """What a model is asked, and what it answered first.

    Attributes:
        kind: of the question.
        ask: asks it.
        answer: what must come out: answers, or the words of an error.
    """

    kind: str
    ask: Callable[[], object]
    answer: object


@dataclass
class Soak:
    """What a million predictions came to.

    Attributes:
        asked: predictions by their kind.
        wrong: answers that were not the first one.
        memory: resident memory in MB by the share of the predictions that were made, in steps of a hundredth.
        seconds: that all took.
    """

    asked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def growth(self) -> float:
        """MB by which the memory of the last tenth exceeds that of the second tenth; the first fills the caches."""
        tenth = len(self.memory) // 10
        return max(self.memory[-tenth:]) - max(self.memory[tenth : 2 * tenth])


def soak(model: Predictor, folder: Path, *, predictions: int, threads: int = 8) -> Soak:
    """Ask a model so many times.

    Args:
        model: that all threads share.
        folder: where files of pictures are written.
        predictions: how many.
        threads: that ask.
    """
    questions = questions_for(model, folder)
    result, lock, begun = Soak(), threading.Lock(), time.perf_counter()

    def ask(seed: int) -> None:
        endless = islice(cycle(questions), seed, None)
        while True:
            with lock:
                done = result.asked.total()
                if done >= predictions:
                    return
                if done * 100 // predictions >= len(result.memory):
                    result.memory.append(resident())
                part = list(islice(endless, min(AT_ONCE, predictions - done)))
                result.asked.update(question.kind for question in part)
            for question in part:
                answer = answer_to(question.ask)
                if answer != question.answer:
                    result.wrong.append(f"{question.kind}: {answer}, and first {question.answer}")

    crowd = [threading.Thread(target=ask, args=(seed,)) for seed in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    result.memory.append(resident())
    result.seconds = time.perf_counter() - begun
    return result


def questions_for(model: Predictor, folder: Path) -> list[Question]:
    """Return questions, most of them about prepared arrays, and one in ten about what is no picture."""
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 256, (18, 24, 3), np.uint8) for _ in range(4)]
    prepared = [model.prepare(picture)[None] for picture in pixels]
    files = []
    for picture, ending in zip(pixels, ("png", "jpg", "webp", "tif"), strict=True):
        Image.fromarray(picture).save(folder / f"picture.{ending}")
        files.append(folder / f"picture.{ending}")
    (folder / "cut.png").write_bytes(files[0].read_bytes()[:200])
    (folder / "none.jpg").write_bytes(b"no picture")
    content = files[1].read_bytes()
    asks: list[tuple[str, Callable[[], object]]] = [
        *(("prepared", lambda array=array: model.predict_prepared(array)) for array in prepared * 3),
        *(("file", lambda path=path: model.predict(path)) for path in files),
        *(("array", lambda array=array: model.predict(array)) for array in pixels[:2]),
        *(("bad file", lambda name=name: model.predict(folder / name)) for name in ("cut.png", "none.jpg")),
        ("bytes", lambda: model.predict(content)),
    ]
    return [Question(kind, ask, answer_to(ask)) for kind, ask in asks]


def answer_to(ask: Callable[[], object]) -> object:
    """Return an answer, or the words of the error that there is instead."""
    try:
        return ask()
    except ImageError as error:
        return str(error)


def resident() -> float:
    """Return this process's memory that is in use, in MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1000
