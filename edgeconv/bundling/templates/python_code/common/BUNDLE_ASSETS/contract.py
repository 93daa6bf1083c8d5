"""What BUNDLE_NAME takes and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent
SELFTEST_FILE = FOLDER / "BUNDLE_SELFTEST_FILE"

# A self-test of another number is of another model.
FINGERPRINT = BUNDLE_FINGERPRINT

# The arrays that go in, and those that come out.
BUNDLE_INPUTS_PYTHON
BUNDLE_OUTPUTS_PYTHON

# Of a picture, one more output: what the net was fed.
PREPARED: str | None = BUNDLE_PREPARED_PYTHON

# Whether the model looks for a digit, and feeds zeros to the net where there is none.
FINDS_DIGITS = BUNDLE_OF_DIGITS_PYTHON

# The names of the answers, in the order of the outputs' last axis.
BUNDLE_LABELS_PYTHON

# Arrays by name.
Arrays = dict[str, NDArray[Any]]


class InputError(ValueError):
    """An input that cannot be answered; the next one may be."""


class BundleError(RuntimeError):
    """The model or the self-test's samples are absent, damaged, or of another model."""


def check_found(outputs: Arrays) -> None:
    """Raise an InputError where the model found no digit in a picture."""
    if FINDS_DIGITS and PREPARED and not outputs[PREPARED].any():
        raise InputError("nothing was found in the picture")


def finite(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers; raise an InputError where there is NaN or infinity."""
    if not np.isfinite(numbers).all():
        raise InputError("the model answers NaN or infinity")
    return numbers


def in_words(error: Exception) -> str:
    """Return what an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
