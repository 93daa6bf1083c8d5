"""A case: one small, living Keras model around one public layer in one mode, and what may be fed to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Feed:
    """One input of a case's model.

    Attributes:
        shape: without the batch axis; None where the axis is dynamic.
        dtype: of the Keras input.
        low: the smallest value drawn.
        high: the largest value drawn of floats; integers stay below it.
        sizes: what a dynamic axis measures in the first and in the second feed.
        batch: the batch size, where the model fixes it.
    """

    shape: Shape
    dtype: str = "float32"
    low: float = -1.0
    high: float = 1.0
    sizes: tuple[int, int] = (11, 14)
    batch: int | None = None

    def draw(self, generator: np.random.Generator, batch: int, which: int) -> NDArray[Any]:
        """Return random values for one call; `which` of the two sizes a dynamic axis gets."""
        shape = (self.batch or batch, *(self.sizes[which] if axis is None else axis for axis in self.shape))
        if self.dtype == "string":
            return generator.choice(np.array(["ant bee", "bee", "cow ant", "dog"], dtype=object), shape)
        if self.dtype == "bool":
            return generator.random(shape) < 0.6
        if np.issubdtype(self.dtype, np.integer):
            return generator.integers(int(self.low), int(self.high), shape).astype(self.dtype)
        return generator.uniform(self.low, self.high, shape).astype(self.dtype)


@dataclass(frozen=True)
class Case:
    """One public name in one mode.

    Attributes:
        subject: a name of `keras.layers`, or of `keras.activations` after "activations.".
        mode: what tells the case from the others of its subject.
        feeds: the inputs of the model, in its order.
        apply: makes the outputs from the Keras inputs.
    """

    subject: str
    mode: str
    feeds: tuple[Feed, ...]
    apply: Callable[..., Any]

    @property
    def name(self) -> str:
        return f"{self.subject}: {self.mode}"

    def build(self) -> Any:
        """Return the model, with weights that are random and the same in every run."""
        import keras

        keras.backend.clear_session(free_memory=False)
        keras.utils.set_random_seed(7)
        inputs = [
            keras.Input(feed.shape, dtype=feed.dtype, batch_size=feed.batch, name=f"input_{letter}")
            for feed, letter in zip(self.feeds, "abcdefgh", strict=False)
        ]
        model = keras.Model(inputs, self.apply(*inputs))
        enliven(model)
        return model


CASES: dict[str, Case] = {}
"""Every case by its name, in the order in which the modules of cases register them."""


def one(subject: str, feeds: Feed | Sequence[Feed], *args: Any, **options: Any) -> None:
    """Register a layer applied to its inputs; the mode is what `options` say.

    Args:
        subject: the layer.
        feeds: its input, or a list of what it merges.
        args: what its constructor needs, of no interest to the reader.
        options: the constructor's keywords that make the case.
    """
    single = isinstance(feeds, Feed)
    every = (feeds,) if isinstance(feeds, Feed) else tuple(feeds)

    def apply(*inputs: Any) -> Any:
        import keras

        return getattr(keras.layers, subject)(*args, **options)(inputs[0] if single else list(inputs))

    words = [f"{key}={_brief(value)}" for key, value in options.items()]
    words += ["dynamic"] if any(None in feed.shape for feed in every) else []
    words += [every[0].dtype] if every[0].dtype != "float32" else []
    mode = " ".join(words) or "plain"
    if f"{subject}: {mode}" in CASES:
        mode += " of " + " and ".join(str(feed.shape) for feed in every)
    register(Case(subject, mode, every, apply))


def built(subject: str, *feeds: Feed) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function from Keras inputs to outputs; its name says the mode."""

    def remember(apply: Callable[..., Any]) -> Callable[..., Any]:
        register(Case(subject, apply.__name__.replace("_", " "), feeds, apply))
        return apply

    return remember


def register(case: Case) -> None:
    if case.name in CASES:
        raise ValueError(f"Every case must have a name of its own. Received twice: {case.name!r}. Change its mode.")
    CASES[case.name] = case


def _brief(value: Any) -> str:
    text = getattr(value, "__name__", None) or str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def enliven(model: Any) -> None:
    """Spread every weight that starts constant: a bias of zeros and a scale of ones hide mistakes."""
    generator = np.random.default_rng(7)
    for weight in model.weights:
        value = np.asarray(weight)
        if np.issubdtype(value.dtype, np.floating) and value.size and np.ptp(value) == 0:
            weight.assign(value + generator.uniform(-0.3, 0.3, value.shape).astype(value.dtype))
