"""Whether a way to run a model may stand for it: it must answer as the model did when it was verified."""

from __future__ import annotations

import numpy as np

from edgeconv.benchmarking.subjects import Opened, Subject
from edgeconv.errors import InputError, ProviderError
from edgeconv.runtime.golden import TOLERANCE, Samples
from edgeconv.runtime.loading import ModelFiles

MOST_FLIPS = 0.1
"""Share of the golden vectors to which a verified variant may give another label than Keras.

Gates allow fractions of a percent over a whole test split; arithmetic that goes wrong on a processor spoils far more.
"""


def distrust(files: ModelFiles, way: Subject) -> str | None:
    """Say why a way is not to be trusted, or return None where it is.

    It must answer the golden vectors as the variant does with the default options on the CPU, which is how its gates
    were judged, and that way itself must not be far from Keras here. A model without golden vectors has its gates only.
    """
    try:
        opened = Opened(files, way)
        if files.samples is None:
            return None
        samples = Samples.load(files.samples)
        verified = Opened(files, Subject(way.variant)).probabilities(samples.images)
        answers = opened.probabilities(samples.images)
    except (InputError, ProviderError) as error:
        return str(error)
    error_of_any = float(np.abs(answers - verified).max())
    other = int(np.count_nonzero(answers.argmax(axis=1) != verified.argmax(axis=1)))
    flips = int(np.count_nonzero(answers.argmax(axis=1) != samples.probabilities.argmax(axis=1)))
    if other or not error_of_any <= TOLERANCE:
        return (
            f"{other} golden vectors get another label than by default, and probabilities differ by {error_of_any:.2g}."
        )
    if flips > max(1, MOST_FLIPS * len(answers)):
        return f"{flips} of {len(answers)} golden vectors get another label than Keras gave."
    return None
