"""A model with its preparation inside: any picture in, its answer out, through ONNX Runtime alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ArtifactError, InputError
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import metadata_of, open_session, run_native
from edgeconv.session_options import DEFAULT_OPTIONS, SessionOptions

INPUT, PREPARED = "picture", "prepared"
"""Names in the graph: of what goes in, and of what leaves it behind the answers."""


MOST_KEPT_FOR = 2**22
"""Bytes of a picture after which ONNX Runtime keeps its memory, some ten times as much, for the next one."""


def embedded_name(output: str) -> str:
    """Return the name that an output of a model has once its preparation is inside.

    Example:
        >>> embedded_name("mask"), embedded_name("picture")
        ('mask', 'picture_output')
    """
    return f"{output}_output" if output in {INPUT, PREPARED} else output


@dataclass(frozen=True)
class EmbeddedAnswer:
    """The answer to one picture.

    Attributes:
        probabilities: float32, (classes,), 0 to 1, or (...), the first output of another task; all zeros where there
            is no ink in the picture of a digit.
        prepared: uint8, (height, width, channels), 0-255, what the model was fed.
    """

    probabilities: NDArray[np.float32]
    prepared: NDArray[np.uint8]


class EmbeddedModel:
    """A `model.e2e.onnx`.

    Args:
        model: the bytes of the file.
        provider: ONNX Runtime's name of the one provider to use.
        threads: threads inside an operator, at least 1; None takes one.
        options: what the session is told besides.
        reduced_range: whether the weights of the int8 part have 7 bits; see `Session`.
        timeout: seconds that the opening and each call may take; inf is no limit.

    Raises:
        InputError: ONNX Runtime cannot load the bytes.
        ProviderError: the provider cannot run the whole model here.

    Example:
        >>> model = EmbeddedModel(Path("exported/mnist/model.e2e.onnx").read_bytes())  # doctest: +SKIP
        >>> model.answer(np.zeros((40, 60, 3), np.uint8)).probabilities.shape  # doctest: +SKIP
        (10,)
    """

    def __init__(
        self,
        model: bytes,
        *,
        provider: str = CPU,
        threads: int | None = 1,
        options: SessionOptions = DEFAULT_OPTIONS,
        reduced_range: bool = False,
        timeout: float = math.inf,
    ) -> None:
        self.provider, self.threads = provider, 1 if threads is None else threads
        self._session = open_session(
            model, provider, self.threads, options=options, reduced_range=reduced_range, timeout=timeout
        )
        self._names = [output.name for output in self._session.get_outputs()]
        self._outputs: tuple[str, str] = (self._names[0], PREPARED)
        self.options = options

    @property
    def metadata(self) -> Mapping[str, str]:
        """The file's own key-value pairs."""
        return metadata_of(self._session)

    def answer(self, picture: NDArray[np.uint8]) -> EmbeddedAnswer:
        """Answer one picture: uint8, (height, width, 1, 3 or 4 channels), 0-255, of any size."""
        answer, prepared = run_native(
            self._session, self._outputs, {INPUT: picture}, give_back=picture.size > MOST_KEPT_FOR
        )
        if not (answer.ndim and prepared.ndim and len(answer) and len(prepared)):
            raise ArtifactError(
                f"`{self._outputs[0]}` must hold a row for each picture. Received: {answer.shape}. Export it again."
            )
        return EmbeddedAnswer(np.asarray(answer[0], np.float32), np.asarray(prepared[0], np.uint8))

    def run(self, pictures: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answer pictures one by one: uint8, (height, width, 1, 3 or 4 channels), 0-255, each of any size.

        Returns:
            Probabilities, float32, (number of pictures, classes), or the first output of another task; zeros where a
            picture of a digit has no ink.

        Raises:
            InputError: a picture has another dtype or shape.
        """
        check_pictures(pictures)
        return np.stack([self.answer(picture).probabilities for picture in pictures])

    def run_all(self, pictures: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return every output by its name, `prepared` too, (number of pictures, ...), of pictures as `run` takes."""
        check_pictures(pictures)
        rows = [
            run_native(self._session, self._names, {INPUT: picture}, give_back=picture.size > MOST_KEPT_FOR)
            for picture in pictures
        ]
        return {name: np.concatenate(parts) for name, parts in zip(self._names, zip(*rows, strict=True), strict=True)}


def check_pictures(pictures: Sequence[NDArray[Any]] | NDArray[Any]) -> None:
    """Check the dtype, the axes and the channels of pictures.

    Raises:
        InputError: one has others.
    """
    for picture in pictures:
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in {1, 3, 4}:
            raise InputError(
                f"`{INPUT}` must be uint8 (height, width, 1, 3 or 4 channels). "
                f"Received: {picture.dtype} {picture.shape}. Give pictures of raw pixels, 0-255."
            )
