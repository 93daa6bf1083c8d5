"""The object that an app embeds: pictures in, labels out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ConfigError, InputError
from edgeconv.pictures.decoding import decode
from edgeconv.pictures.preparation import prepare
from edgeconv.runtime.loading import find_model, open_model


@dataclass(frozen=True)
class Score:
    """One class of an answer: its label, its index among the outputs, and its probability, 0 to 1."""

    label: str
    index: int
    probability: float

    def as_dict(self) -> dict[str, Any]:
        """Return the score as a JSON object."""
        return {"label": self.label, "index": self.index, "probability": self.probability}


@dataclass(frozen=True)
class Prediction:
    """The answer to one picture.

    Attributes:
        label: name of the likeliest class.
        index: its index among the outputs.
        probability: its probability, 0 to 1.
        top: the likeliest classes, best first.
    """

    label: str
    index: int
    probability: float
    top: tuple[Score, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        best = Score(self.label, self.index, self.probability)
        return {**best.as_dict(), "top": [score.as_dict() for score in self.top]}


class Predictor:
    """A model that is ready to answer, with its preparation of pictures and its labels.

    Args:
        model: an artifact's folder or a lone `.onnx` file; None takes the newest artifact below `exported/`, else
            the reference model of the package.
        variant: ``"int8"``, ``"fp32"``, ``"fp16"`` or ``"e2e"``; None takes what `edgeconv benchmark --tune` found
            best for this device, else int8 where it is there.
        device: ``"auto"``, ``"cpu"`` or ``"gpu"``; see `open_model`.
        threads: threads inside an operator; None takes what was found best, else one, which is the fastest for small
            models at batch 1.
        top_k: how many classes an answer lists.

    Raises:
        ArtifactError: there is no such model, or it is damaged.
        ProviderError: a GPU was asked for, and none runs the model right.

    Example:
        >>> model = Predictor("exported/mnist")  # doctest: +SKIP
        >>> model.predict("image.png").label  # doctest: +SKIP
        '7'
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        variant: str | None = None,
        device: str = "auto",
        threads: int | None = None,
        top_k: int = 3,
    ) -> None:
        if top_k < 1:
            raise ConfigError(f"`top_k` must be at least 1. Received: {top_k}. Leave it out for 3.")
        opened = open_model(Path(model) if model else find_model(), variant=variant, device=device, threads=threads)
        self.path = opened.path
        self.manifest = opened.manifest
        self.variant = opened.variant
        self.provider = opened.session.provider
        self.threads = opened.session.threads
        self.top_k = top_k
        self._session = opened.session

    def prepare(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Make of a decoded picture what the model eats, as its training data were made.

        Args:
            picture: uint8, (height, width, 1, 3 or 4 channels) or (height, width), 0-255, of any size.

        Returns:
            uint8, (height, width, channels) of the model, 0-255.
        """
        if self.manifest.preprocess is None:
            raise InputError(
                f"`{self.manifest.name}` must say how pixels become its {self.manifest.input.dtype} input. Received: "
                "a model exported without it. Export it again with `--input-range`."
            )
        return prepare(picture if picture.ndim == 3 else picture[..., None], self.manifest.preprocess)

    def predict(self, image: str | Path | bytes | NDArray[np.uint8]) -> Prediction:
        """Answer one picture: a path, the bytes of a file, or a decoded array as `prepare` takes it.

        Raises:
            ImageError: the picture cannot be read.
        """
        picture = image if isinstance(image, np.ndarray) else decode(image)
        return self.predict_batch(self.prepare(picture)[None])[0]

    def predict_batch(self, images: NDArray[Any]) -> list[Prediction]:
        """Answer prepared images.

        Args:
            images: uint8, (batch, height, width, channels), 0-255.

        Returns:
            One answer an image, in order.

        Raises:
            InputError: the array has another dtype or shape.
        """
        return self._answers(self.probabilities(images))

    def probabilities(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return the bare probabilities, float32, (batch, classes), of prepared images; see `predict_batch`."""
        outputs = self._session.run(images)
        return softmax(outputs) if self.manifest.output.kind == "logits" else outputs

    def _answers(self, probabilities: NDArray[np.float32]) -> list[Prediction]:
        # A stable sort of the negated values: of two equal probabilities the lower index comes first, as in argmax.
        best_first = np.argsort(-probabilities, axis=1, kind="stable")[:, : self.top_k]
        return [self._answer(row, order.tolist()) for row, order in zip(probabilities, best_first, strict=True)]

    def _answer(self, row: NDArray[np.float32], order: Sequence[int]) -> Prediction:
        top = tuple(Score(self.manifest.labels[index], index, float(row[index])) for index in order)
        return Prediction(top[0].label, top[0].index, top[0].probability, top)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities, float32, of logits, float32, both (batch, classes); shifted so that nothing overflows."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
