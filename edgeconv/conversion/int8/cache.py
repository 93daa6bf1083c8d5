"""What a calibration has measured so far, kept on disk: a later one goes on there, and an equal one is done."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.artifact import replacing
from edgeconv.caching import kept_if_possible

FORMAT = "edgeconv.calibration/2"
"""Part of every key: change it with anything that changes what is measured, and old files are no longer found."""

_KEY = "key"


@dataclass(frozen=True)
class Cache:
    """Arrays of one calibration, by stage.

    Attributes:
        folder: where they lie; None keeps nothing.
        key: what the calibration depends on; see `key_of`.
    """

    folder: Path | None
    key: str

    def load(self, stage: str) -> dict[str, NDArray[Any]] | None:
        """Return what was stored, or None: nothing, something damaged, or something of another calibration."""
        if self.folder is None:
            return None
        try:
            with np.load(self._path(stage), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError):
            return None
        return arrays if str(arrays.pop(_KEY, "")) == self.key else None

    def store(self, stage: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep the arrays of a stage, whole or not at all, in place of what was there."""
        if self.folder is None:
            return
        with kept_if_possible(), replacing(self._path(stage)) as sibling, sibling.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays, **{_KEY: np.array(self.key)})

    def _path(self, stage: str) -> Path:
        return (self.folder or Path()) / f"{self.key[:16]}.{stage}.npz"


def key_of(model: str, data: str, **settings: object) -> str:
    """Return the key of a calibration: 64 hexadecimal digits.

    Args:
        model: digest of the model.
        data: digest of the images.
        settings: whatever else the result depends on.
    """
    facts = [FORMAT, model, data, *(f"{name}={settings[name]!r}" for name in sorted(settings))]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
