"""Golden vectors: raw images with the reference's answers, which show whether a provider computes correctly."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ArtifactError
from edgeconv.runtime.session import Session

TOLERANCE = 0.05
"""Largest difference of a probability that a provider may show.

A GPU multiplies float32 with the 10-bit mantissa of TF32 where it may, which moves the probabilities of a convnet by up
to some 0.01; a provider that computes something else is off by far more. The label must be the same in any case.
"""


@dataclass(frozen=True)
class Samples:
    """The golden vectors of an artifact.

    Attributes:
        images: what the model takes, (n, ...) in its own dtype; uint8 0-255 for raw pixels.
        labels: int64, (n,), the true classes; -1 where they are not known.
        probabilities: float32, (n, classes), the answers of the Keras reference.
    """

    images: NDArray[np.generic]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> Samples:
        """Read `samples.npz`.

        Raises:
            ArtifactError: the file is absent or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(arrays["images"], arrays["labels"], arrays["probabilities"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ArtifactError(
                f"`{path}` must hold images, labels and probabilities. Received: {error}. Export the model again."
            ) from error


def disagreement(session: Session, samples: Samples) -> str | None:
    """Say how a session's answers differ from the reference's on the golden vectors, or None where they agree."""
    answers = session.run(samples.images)
    wrong = int(np.count_nonzero(answers.argmax(axis=1) != samples.probabilities.argmax(axis=1)))
    error = float(np.abs(answers - samples.probabilities).max())
    if np.isfinite(error) and error <= TOLERANCE and not wrong:
        return None
    return f"{wrong} of {len(samples.labels)} golden vectors get another label, and probabilities differ by {error:.2g}"
