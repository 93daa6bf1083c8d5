"""What the stages of a model are compared on: images with classes or without, random inputs, or the user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Feeds = Mapping[str, NDArray[Any]]
"""Arrays by input, all of one batch size."""

Answers = Mapping[str, NDArray[Any]]
"""Arrays by output."""


@dataclass(frozen=True)
class Batch:
    """Inputs, and the reference's answers to them.

    Attributes:
        feeds: arrays by input.
        what: what they are, for people.
        expected: the reference's answers, where it has been run already; else empty.
        kept: the only answers that are kept of it; None keeps all.
    """

    feeds: Feeds
    what: str = "images"
    expected: Answers = field(default_factory=dict)
    kept: tuple[str, ...] | None = None

    def of(self, answers: Answers) -> Answers:
        """Return what is kept of answers to it."""
        return answers if self.kept is None else {name: answers[name] for name in self.kept}

    @property
    def count(self) -> int:
        """Number of inputs."""
        return len(next(iter(self.feeds.values())))


@dataclass(frozen=True)
class ComparisonSet:
    """What the stages of a model are compared on.

    Attributes:
        dataset: name of the data; ``"random"`` or ``"given"`` where there are none.
        split: ``"test"``, ``"calibration"``, ``"random"`` or ``"given"``.
        sha256: fingerprint of the data.
        batches: the inputs. Images to compare classes on are one batch, which a stage may be given in parts; others are
            given as they are, since their sizes are what is tried.
        labels: the true classes, int64, (n,); None where they are not known.
        spreads: largest minus smallest answer of each output: differences are shares of it. None where classes are
            compared.
        draw: makes so many more inputs of the same kind; None where there are no others.
        right: what is known to be right, by output, (n, ...), all batches together; where classes are compared,
            `labels` are.
        files: the pictures that images were made of, in order; empty where there are none.
    """

    dataset: str
    split: str
    sha256: str
    batches: tuple[Batch, ...]
    labels: NDArray[np.int64] | None = None
    spreads: Mapping[str, float] | None = None
    draw: Callable[[int], Feeds] | None = None
    right: Answers = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    @classmethod
    def of_images(
        cls,
        images: NDArray[Any],
        labels: NDArray[np.int64] | None = None,
        *,
        dataset: str,
        split: str,
        sha256: str | None = None,
        files: tuple[Path, ...] = (),
    ) -> ComparisonSet:
        """Return images that classes are compared on.

        Args:
            images: (n, ...), what the model takes.
            labels: int64, (n,), the true classes; None: the reference's answers stand for them.
            dataset: name of the data.
            split: of the data.
            sha256: fingerprint of the data; None takes that of the images.
            files: the pictures that the images were made of, in order, where they are files.
        """
        batches = (Batch({"image": images}),)
        return cls(dataset, split, sha256 or fingerprint(batches), batches, labels, files=files)

    @property
    def count(self) -> int:
        """Number of inputs."""
        return sum(batch.count for batch in self.batches)

    @property
    def images(self) -> NDArray[Any]:
        """What the one input of the first batch is given."""
        (images,) = self.batches[0].feeds.values()
        return images

    def first(self, count: int | None) -> ComparisonSet:
        """Return the first images of a set that classes are compared on, or all; the data's fingerprint stays."""
        labels = None if self.labels is None else self.labels[:count]
        batches = (Batch({"image": self.images[:count]}),)
        return replace(self, batches=batches, labels=labels, files=self.files[:count])


def fingerprint(batches: Iterable[Batch]) -> str:
    """Return the SHA-256 of inputs."""
    digest = hashlib.sha256()
    for batch in batches:
        for name in sorted(batch.feeds):
            digest.update(np.ascontiguousarray(batch.feeds[name]).tobytes())
    return digest.hexdigest()
