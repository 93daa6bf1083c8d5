"""What the model's output means: the class of each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .contract import LABELS, OUTPUTS, Arrays, InputError, finite

# Options of the command line, which `answer_of` takes.
OPTIONS = {"threshold": BUNDLE_THRESHOLD}


@dataclass(frozen=True, eq=False)
class Mask:
    """The index of each pixel's class: uint16, (height, width) of what the net sees."""

    classes: NDArray[np.uint16]

    def as_row(self) -> dict[str, Any]:
        """Return what the mask covers as a JSON object."""
        height, width = self.classes.shape
        counts = np.bincount(self.classes.ravel(), minlength=len(LABELS))
        shares = (counts / self.classes.size).tolist()
        named = dict(zip(LABELS, shares, strict=True))
        return {"height": height, "width": width, "shares": named}

    def save(self, stem: Path) -> Path:
        """Write the indices as a PNG, whose name begins with `stem`; return its path."""
        file = stem.with_name(f"{stem.name}.mask.png")
        bits = np.uint8 if len(LABELS) <= 256 else np.uint16
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(self.classes.astype(bits)).save(file)
        except OSError as error:
            raise InputError(f"{file} cannot be written: {error.strerror}") from error
        return file


Answer = Mask


def answer_of(outputs: Arrays, threshold: float = BUNDLE_THRESHOLD) -> Mask:
    """Return the likeliest class of each pixel; of one map, what the threshold says."""
    (maps,) = finite(outputs[OUTPUTS[0]])
    one = maps.shape[-1] == 1
    classes = maps[..., 0] >= threshold if one else maps.argmax(axis=-1)
    return Mask(classes.astype(np.uint16))
