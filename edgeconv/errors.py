"""Every error that edgeconv raises on purpose.

    EdgeconvError
    |-- ConfigError (ValueError)            an option has a value it cannot have
    |-- MissingDependencyError (ImportError)  an extra is not installed
    |-- DatasetError                        a dataset is absent, damaged or inconsistent
    |-- ImageError                          a picture cannot be decoded or prepared
    |-- TrainingError                       training cannot go on
    |-- ArtifactError                       a model folder is not what it should be
    |   |-- ManifestError                   the contract is absent or damaged
    |   |-- SchemaVersionError              the contract is newer than this edgeconv
    |   `-- ChecksumError                   a file is not the one the manifest names
    |-- ConversionError                     a model cannot be converted
    |   |-- UnsupportedModelError           the model uses what ONNX cannot express
    |   `-- ParityError                     the converted model answers differently
    `-- InferenceError                      a model cannot be run
        |-- InputError                      an array has the wrong dtype or shape
        |-- InferenceTimeoutError           a call took longer than it may
        `-- ProviderError                   an execution provider does not work here

A message is one line: what is required, what was received, what to do. `EdgeconvWarning` is no error.
"""

from __future__ import annotations

import importlib.util
from typing import Any


class EdgeconvError(Exception):
    """Base of every error that edgeconv raises on purpose.

    Whatever it repeats, a name, a label, a cell, its message is one line.
    """

    def __str__(self) -> str:
        return super().__str__().translate(_ESCAPED_BREAKS)


_ESCAPED_BREAKS = {ord(letter): f"\\u{ord(letter):04x}" for letter in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"}
"""What `str.splitlines` splits at."""


class EdgeconvWarning(UserWarning):
    """What a caller should know, and nobody need stop for."""


class ConfigError(EdgeconvError, ValueError):
    """An option has a value it cannot have."""


class MissingDependencyError(EdgeconvError, ImportError):
    """A package of an optional extra is not installed."""


class DatasetError(EdgeconvError):
    """A dataset is absent, damaged or inconsistent."""


class ImageError(EdgeconvError):
    """A picture cannot be decoded or prepared."""


class TrainingError(EdgeconvError):
    """Training cannot go on."""


class ArtifactError(EdgeconvError):
    """A model folder is not what it should be."""


class ManifestError(ArtifactError):
    """The contract of a model is absent or damaged."""


class SchemaVersionError(ArtifactError):
    """The contract of a model is newer than this edgeconv."""


class ChecksumError(ArtifactError):
    """A file is not the one that the manifest names."""


class ConversionError(EdgeconvError):
    """A model cannot be converted."""


class UnsupportedModelError(ConversionError):
    """A model uses something that cannot be expressed in ONNX."""


class ParityError(ConversionError):
    """A converted model answers differently from its reference.

    Attributes:
        ledger: the parity ledger that failed, for the caller to read.
    """

    def __init__(self, message: str, ledger: Any = None) -> None:
        super().__init__(message)
        self.ledger = ledger


class InferenceError(EdgeconvError):
    """A model cannot be run."""


class InputError(InferenceError):
    """An array given to a model has the wrong dtype or shape."""


class InferenceTimeoutError(InferenceError):
    """A call of a model took longer than it may."""


class ProviderError(InferenceError):
    """An execution provider does not work on this machine."""


MOST_LETTERS = 400
"""Longest text of another library's error that is passed on: some of them print whole graphs."""


def one_line(error: object, most: int | None = MOST_LETTERS) -> str:
    """Return the message of an error on one line, without its full stop and colours; its class where it has none.

    Args:
        error: an exception, or a text.
        most: characters that are kept; None keeps all.

    Example:
        >>> one_line(ValueError("a shape\\n  that does not fit."))
        'a shape that does not fit'
    """
    import re  # Here, since only errors need it.

    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    return " ".join(text.split())[:most].rstrip(". ") or type(error).__name__


def require(*packages: str, extra: str, purpose: str) -> None:
    """Raise unless every package is installed, without importing any of them.

    Args:
        packages: import names, such as ``"tensorflow"``.
        extra: the extra of edgeconv that brings them.
        purpose: what they are needed for; begins the sentence.

    Raises:
        MissingDependencyError: names the missing packages and the extra.

    Example:
        >>> require("json", extra="train", purpose="Training")
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"{purpose} requires {', '.join(packages)}. Not installed: {', '.join(missing)}. "
            f"Install with `pip install 'edgeconv[{extra}]'`."
        )
