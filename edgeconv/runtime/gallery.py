"""The pictures of a folder as vectors, and which of them lie nearest to another one."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ConfigError
from edgeconv.pictures.listing import find_pictures
from edgeconv.runtime.results import Embedding

if TYPE_CHECKING:
    from edgeconv.runtime.predictor import Predictor


@dataclass(frozen=True)
class Neighbour:
    """A picture that lies near.

    Attributes:
        path: of its file.
        cosine: of the angle between both vectors, -1 to 1.
    """

    path: str
    cosine: float

    def as_dict(self) -> dict[str, Any]:
        """Return the neighbour as a JSON object."""
        return asdict(self)


class Gallery:
    """Pictures and their vectors.

    Args:
        paths: of the pictures.
        vectors: float32, (n, size), of any lengths.
    """

    def __init__(self, paths: list[str], vectors: NDArray[np.float32]) -> None:
        self.paths = paths
        self._units = _units(vectors)

    @classmethod
    def of(cls, predictor: Predictor, place: str, say: Callable[[str], object]) -> Gallery:
        """Embed the pictures of a folder or a pattern; those that cannot be read are left out, said aloud.

        Args:
            predictor: with a model of the task embedding.
            place: as `find_pictures` reads it.
            say: hears of each picture that is left out.

        Raises:
            ConfigError: the model makes no vectors, or there is no picture.
        """
        if predictor.manifest.task != "embedding":
            raise ConfigError(
                f"`nearest` is for the task embedding. Received: `{predictor.path}` of the task "
                f"{predictor.manifest.task}. Leave it out, or export the model with `--task embedding`."
            )
        paths, vectors = [], []
        for answer in predictor.predict_many(find_pictures(place)):
            if isinstance(answer.prediction, Embedding):
                paths.append(str(answer.picture))
                vectors.append(answer.prediction.vector)
            else:
                say(str(answer.error))
        if not paths:
            raise ConfigError(f"`nearest` requires pictures. Received: none in `{place}`. Name a folder of pictures.")
        return cls(paths, np.stack(vectors))

    def nearest(
        self, vector: Sequence[float] | NDArray[np.float32], count: int, *, but: str | None = None
    ) -> list[Neighbour]:
        """Return the pictures whose vectors have the smallest angles to a vector, the nearest first.

        Args:
            vector: (size,), of any length.
            count: how many, at most.
            but: the path of a picture that is no answer, such as the one that the vector is of.
        """
        cosines = self._units @ _units(np.asarray(vector, np.float32)[None])[0]
        same = None if but is None else os.path.realpath(but)
        found: list[Neighbour] = []
        for place in np.argsort(-cosines, kind="stable").tolist():
            if len(found) < count and os.path.realpath(self.paths[place]) != same:
                found.append(Neighbour(self.paths[place], float(cosines[place])))
        return found


def _units(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0.0, lengths, 1.0))
