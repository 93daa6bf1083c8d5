"""Whether a configuration reproduces the answers that the model gave when it was verified."""

from __future__ import annotations

import numpy as np

from edgeconv.benchmarking.configurations import Configuration, Opened
from edgeconv.errors import InputError, ProviderError
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.golden import TOLERANCE, Samples

MOST_FLIPS = 0.1
"""Share of the golden vectors to which a verified variant may give another label than Keras.

Gates allow fractions of a percent over a whole test split; arithmetic that goes wrong on a processor spoils far more.
"""


def distrust(files: ModelFiles, configuration: Configuration) -> str | None:
    """Return why a configuration must not be used, or None where it may.

    It must reproduce the golden outputs of the variant with default options on the CPU, which the gates were decided
    on, and must itself be close to Keras here. A model without golden vectors is checked by its gates alone.
    """
    try:
        opened = Opened(files, configuration)
        if files.samples is None:
            return None
        samples = Samples.load(files.samples)
        verified = Opened(files, Configuration(configuration.variant)).probabilities(samples.images)
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
