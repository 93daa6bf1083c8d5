"""A stage: whatever answers for a model, in Keras, in ONNX Runtime, in a bundle's language or on a device."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InferenceError
from edgeconv.parity.comparison import Answers, ComparisonSet, Feeds
from edgeconv.parity.spilling import Spill
from edgeconv.preparation import Preparation
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import Session, open_session, run_native
from edgeconv.variants import takes_pictures

FROM_FILE = "keras from the file"
"""The stage that is Keras with the user's own loader of pictures."""

FAKE_QUANTIZED = "keras as trained to be int8"
"""The stage that is Keras with the fake quantization of the training, which int8 is held against."""

BATCH = 500
VALUES_AT_ONCE = 2**22

Run = Callable[[Feeds], Answers]
RunImages = Callable[[NDArray[Any]], NDArray[np.float32]]
"""Images, (n, ...), to scores, float32, (n, classes)."""


@dataclass(frozen=True)
class Stage:
    """Something that answers for a model.

    Attributes:
        name: ``"keras"``, a variant, the target of a bundle, or ``"int8 on pi4"``.
        provider: what runs it.
        run: arrays by input to arrays by output.
        size_bytes: of its file.
        gives_probabilities: whether it does so even where the model itself gives logits.
        timed: whether the time of a call says something; not where each call starts a process.
        inside: the variant that it is made of, where it has the preparation of pictures in front of it.
        timing: what is timed in place of `run`, where that does more than the model.
        at_once: whether it takes all images in one call, since each call starts a slow process.
        preparation: what it makes of a picture of any size before it answers; None: it is given prepared images.
        activation: what it does to the model's first output, ``"softmax"`` or ``"sigmoid"``, where that is pending.
        against: name of the stage before it whose answers it should give; empty: the reference's.
    """

    name: str
    provider: str
    run: Run
    size_bytes: int
    gives_probabilities: bool = False
    timed: bool = True
    at_once: bool = False
    preparation: Preparation | None = None
    activation: str | None = None
    inside: str | None = None
    timing: Run | None = None
    against: str = ""


def on_images(run: RunImages) -> Run:
    """Return a stage's function of one that takes and returns a bare array.

    Example:
        >>> on_images(lambda images: images / 2)({"image": np.ones((1, 2))})["scores"].tolist()
        [[0.5, 0.5]]
    """
    return lambda feeds: {"scores": run(next(iter(feeds.values())))}


def stage_of(
    name: str,
    model: bytes,
    *,
    provider: str = CPU,
    batch: int | None = None,
    reduced_range: bool = False,
    preparation: Preparation | None = None,
    timeout: float = math.inf,
    session: Session | None = None,
) -> Stage:
    """Return the `.onnx` file of a classifier as a stage, on one thread of one provider.

    Args:
        name: of the stage.
        model: the file.
        provider: what runs it.
        batch: the only batch size that the file takes, or None.
        reduced_range: its int8 weights take 7 bits.
        preparation: what makes the model's input of a picture.
        timeout: seconds that a call may take.
        session: of the file on one thread, where it is open already.
    """
    if takes_pictures(name):
        embedded = EmbeddedModel(model, provider=provider, reduced_range=reduced_range, timeout=timeout)
        run_pictures = on_images(embedded.run)
        return Stage(name, provider, run_pictures, len(model), gives_probabilities=True, preparation=preparation)
    session = session or Session(model, provider=provider, reduced_range=reduced_range, timeout=timeout)
    return Stage(name, session.provider, in_batches(on_images(session.run), batch), len(model))


def stage_of_tensors(
    name: str,
    model: bytes,
    *,
    provider: str = CPU,
    batch: int | None = None,
    reduced_range: bool = False,
    preparation: Preparation | None = None,
    activation: str | None = None,
    timeout: float = math.inf,
    inside: str | None = None,
    session: Session | None = None,
) -> Stage:
    """Return an `.onnx` file of any inputs and outputs as a stage, on one thread of one provider; see `stage_of`.

    Args:
        name: of the stage. A variant that takes pictures answers with what it made of them, too.
        model: the file.
        provider: what runs it.
        batch: the only batch size that the file takes, or None.
        reduced_range: its int8 weights take 7 bits.
        preparation: what makes the model's input of a picture.
        activation: what is pending of the model's first output.
        timeout: seconds that a call may take.
        inside: the variant that it is made of, where it takes pictures.
        session: of the file on one thread, where it is open already.
    """
    if takes_pictures(name):
        embedded = EmbeddedModel(model, provider=provider, reduced_range=reduced_range, timeout=timeout)

        def show(feeds: Feeds) -> Answers:
            return embedded.run_all(next(iter(feeds.values())))

        return Stage(name, provider, show, len(model), preparation=preparation, activation=activation, inside=inside)
    if session is not None:
        native = session.native
    else:
        native = open_session(model, provider, threads=1, reduced_range=reduced_range, timeout=timeout)
    outputs = [output.name for output in native.get_outputs()]

    def run(feeds: Feeds) -> Answers:
        return dict(zip(outputs, run_native(native, outputs, feeds), strict=True))

    return Stage(name, provider, in_batches(run, batch), len(model))


def in_batches(run: Run, size: int | None) -> Run:
    """Return a function that gives `run` batches of one size only, the last one filled up with its first inputs.

    Args:
        run: arrays by input to arrays by output.
        size: of the batches; None leaves them as they are.
    """
    if size is None:
        return run

    def answer(feeds: Feeds) -> Answers:
        count = len(next(iter(feeds.values())))
        parts = []
        for start in range(0, count, size):
            taken = np.arange(start, start + size) % count
            answers = _by_row(run({name: array[taken] for name, array in feeds.items()}), size)
            parts.append({name: array[: count - start] for name, array in answers.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return answer


def _by_row(answers: Answers, count: int, axes: int | None = None) -> Answers:
    """Return answers that have a row for each input.

    Raises:
        InferenceError: they have not, or are no arrays of so many axes.
    """
    for name, array in answers.items():
        if array.ndim == 0 or len(array) != count or axes not in {None, array.ndim}:
            raise InferenceError(
                f"`{name}` must have {'scores' if axes == 2 else 'a row'} for each of {count} inputs. Received: "
                f"{array.shape}. Export the model again."
            )
    return answers


def images_at_once(images: NDArray[Any]) -> int:
    """Return how many images a call may take: the activations of a large model are a hundred times as many values."""
    return max(1, min(BATCH, VALUES_AT_ONCE // max(1, int(np.prod(images.shape[1:])))))


def answers_of(stage: Stage, compared: ComparisonSet, progress: Progress = SILENT) -> tuple[Answers, ...]:
    """Return what a stage answers, batch by batch; images that classes are compared on are given some at a time."""
    if compared.spreads is not None:
        spill = Spill()
        return tuple(spill.keep(batch.of(stage.run(batch.feeds))) for batch in compared.batches)
    (batch,) = compared.batches
    size = batch.count if stage.at_once else images_at_once(compared.images)
    parts: list[Answers] = []
    with progress.bar(f"Answers of {stage.name}", batch.count) as advance:
        for start in range(0, batch.count, size):
            feeds = {name: array[start : start + size] for name, array in batch.feeds.items()}
            count = len(next(iter(feeds.values())))
            parts.append(_by_row(stage.run(feeds), count, axes=2))
            advance(count, "")
    return ({name: np.concatenate([part[name] for part in parts]) for name in parts[0]},)


def scores_of(answers: tuple[Answers, ...]) -> NDArray[np.float32]:
    """Return the scores of a classifier's answers to images, float32, (n, classes)."""
    (scores,) = answers[0].values()
    return scores
