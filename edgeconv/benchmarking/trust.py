"""Whether a configuration reproduces the answers that the model gave when it was verified."""

from __future__ import annotations

import numpy as np

from edgeconv.benchmarking.configurations import Configuration, Opened
from edgeconv.benchmarking.inputs import Inputs
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
        if not files.manifest.is_classifier:
            return _distrust_values(files, opened)
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


def _distrust_values(files: ModelFiles, opened: Opened) -> str | None:
    """Return how far answers that are no classes lie from those by default, or None where they are close."""
    inputs = Inputs.of(files).arrays
    verified = Opened(files, Configuration(opened.configuration.variant)).arrays(inputs)
    for name, answers in opened.arrays(inputs).items():
        expected = verified[name].astype(np.float64)
        error = float(np.abs(answers - expected).max(initial=0.0))
        if not error <= TOLERANCE * float(np.ptp(expected)):
            return f"`{name}` differs by {error:.2g} from what it is by default, on golden vectors."
    return None
