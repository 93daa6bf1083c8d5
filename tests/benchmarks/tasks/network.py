"""What a network of the table is: its data, its training, and the figure that it is judged by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Answers = Mapping[str, NDArray[Any]]
"""What a file answers, by output, in the order of its outputs."""


@dataclass(frozen=True)
class Samples:
    """Inputs of a network, (n, ...), and what is right of each, (n, ...)."""

    x: NDArray[Any]
    y: NDArray[Any]


@dataclass(frozen=True)
class Data:
    """What a network learns from, what int8 is chosen on, and what its figures are measured on: three disjoint sets."""

    train: Samples
    validation: Samples
    test: Samples


@dataclass(frozen=True)
class TaskNetwork:
    """One network of the table.

    Attributes:
        name: of its folder.
        title: what people read.
        metric: what its score is called; higher is better.
        data: draws or reads its data, the same each time.
        build: returns it in Keras, untrained.
        train: returns a Keras model that has learnt from them.
        score: judges what a file answers to samples, 0 to 1.
        options: of `edgeconv export`, beside data and `--quantize`.
        labelled: the data are labelled pictures of classes, as `edgeconv train` takes them.
        judged: whether `validation` says what is right in a form that `--dataset` takes.
    """

    name: str
    title: str
    metric: str
    data: Callable[[], Data]
    build: Callable[[], Any]
    train: Callable[[Data], Any]
    score: Callable[[Answers, Samples], float]
    options: tuple[str, ...] = ()
    labelled: bool = False
    judged: bool = True


def first(answers: Answers) -> NDArray[Any]:
    """Return what the first output answers."""
    return next(iter(answers.values()))


def accuracy(answers: Answers, samples: Samples) -> float:
    """Return the share of the samples whose best class is right."""
    return float(np.mean(first(answers).argmax(axis=1) == samples.y))


def fit(model: Any, data: Data, *, epochs: int, rate: float, batch: int = 64, **compiled: Any) -> Any:
    """Train a model with Adam, its rate on a cosine from `rate` to 0; return it."""
    import keras

    steps = epochs * -(-len(data.train.x) // batch)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)), **compiled)
    model.fit(data.train.x, data.train.y, batch_size=batch, epochs=epochs, verbose=2)
    return model
