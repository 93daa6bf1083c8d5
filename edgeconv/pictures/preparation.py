"""Turn any picture into what a model was trained on. One function, for training, calibration and serving."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError, ManifestError
from edgeconv.pictures.colors import composite, luma
from edgeconv.pictures.digits import center_digit
from edgeconv.pictures.resampling import resize

KINDS = ("digit", "resize")
FITS = ("crop", "stretch", "pad")
FILTERS = ("triangle",)
_OF_KIND = {"digit": ("box",), "resize": ("fit", "filter")}
"""The fields that only one kind has."""


@dataclass(frozen=True)
class Preparation:
    """How a picture becomes a model's input: data, kept in the manifest.

    Attributes:
        kind: "digit" prepares as MNIST was prepared; "resize" only scales.
        height: rows of the model's input.
        width: columns of the model's input.
        channels: 1 (grey) or 3 (RGB).
        box: digit: the ink is scaled into a square of this many pixels. MNIST: 20 of 28.
        fit: resize: "crop" cuts the middle out, "stretch" ignores the aspect, "pad" adds black bars.
        filter: resize: "triangle", antialiased.

    Raises:
        ManifestError: a field has a value it cannot have.

    Example:
        >>> Preparation("digit", 28, 28, 1).as_dict()
        {'kind': 'digit', 'height': 28, 'width': 28, 'channels': 1, 'box': 20}
    """

    kind: str
    height: int
    width: int
    channels: int
    box: int = 20
    fit: str = "crop"
    filter: str = "triangle"

    def __post_init__(self) -> None:
        _require(self.kind in KINDS, "kind", f"one of {', '.join(KINDS)}", self.kind)
        for name in ("height", "width", "box"):
            value = getattr(self, name)
            _require(type(value) is int and value > 0, name, "a positive integer", value)
        _require(type(self.channels) is int and self.channels in {1, 3}, "channels", "1 or 3", self.channels)
        _require(self.fit in FITS, "fit", f"one of {', '.join(FITS)}", self.fit)
        _require(self.filter in FILTERS, "filter", f"one of {', '.join(FILTERS)}", self.filter)
        if self.kind == "digit":
            side = min(self.height, self.width)
            _require(self.channels == 1, "channels", "1 for digits", self.channels)
            _require(self.box <= side, "box", f"at most the shorter side, {side}", self.box)

    def as_dict(self) -> dict[str, Any]:
        """Return what the manifest holds: the fields that the kind has, ready for JSON."""
        others = {name for kind, names in _OF_KIND.items() if kind != self.kind for name in names}
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in others}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Preparation:
        """Read what `as_dict` wrote.

        Args:
            data: the block `preprocess` of a manifest.

        Returns:
            The same preparation.

        Raises:
            ManifestError: a field is missing, unknown, or has a value it cannot have.
        """
        kind = data.get("kind")
        _require(kind in KINDS, "kind", f"one of {', '.join(KINDS)}", kind)
        required = ("kind", "height", "width", "channels")
        known = (*required, *_OF_KIND[str(kind)])
        missing = [name for name in required if name not in data]
        unknown = [name for name in data if name not in known]
        if missing or unknown:
            raise ManifestError(
                f"`preprocess` of kind {kind} requires {', '.join(required)} and knows {', '.join(known)}. "
                f"Missing: {', '.join(missing) or 'none'}; unknown: {', '.join(map(str, unknown)) or 'none'}. "
                "Export the model again, or install a newer edgeconv."
            )
        return cls(**data)


def prepare(picture: NDArray[np.uint8], preparation: Preparation) -> NDArray[np.uint8]:
    """Turn a picture into the model's input.

    Kind "resize" shows transparent pictures over white, as a page would; a picture that has the model's size
    already is not resampled. Kind "digit" is described in `edgeconv.pictures.digits`.

    Args:
        picture: uint8, (height, width, channels), 0-255; 1 (grey), 3 (RGB) or 4 (RGB and alpha) channels.
        preparation: what the model requires.

    Returns:
        uint8, (preparation.height, preparation.width, preparation.channels), 0-255.

    Raises:
        ImageError: the array is not such a picture, or kind "digit" finds no ink in it.

    Example:
        >>> prepare(np.zeros((40, 60, 3), np.uint8), Preparation("resize", 32, 32, 3)).shape
        (32, 32, 3)
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in {1, 3, 4} or not picture.size:
        raise ImageError(
            "A picture must be uint8 (height, width, 1, 3 or 4). "
            f"Received: {picture.dtype} {picture.shape}. Read files with `edgeconv.pictures.decoding.decode`."
        )
    if preparation.kind == "digit":
        return center_digit(picture, preparation.height, preparation.width, preparation.box)
    return _resize(picture, preparation)


def _resize(picture: NDArray[np.uint8], preparation: Preparation) -> NDArray[np.uint8]:
    height, width = preparation.height, preparation.width
    picture = _with_channels(picture, preparation.channels)
    if preparation.fit == "crop":
        picture = _crop_to_aspect(picture, height, width)
    if picture.shape[:2] == (height, width):
        return picture
    if preparation.fit != "pad":
        return _to_bytes(resize(picture, height, width))
    scale = min(height / picture.shape[0], width / picture.shape[1])
    inner = _to_bytes(resize(picture, max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale))))
    padded = np.zeros((height, width, preparation.channels), np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    padded[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return padded


def _crop_to_aspect(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Cut out the largest middle part that has the aspect of `height` x `width`."""
    rows = max(1, min(picture.shape[0], round(picture.shape[1] * height / width)))
    columns = max(1, min(picture.shape[1], round(picture.shape[0] * width / height)))
    top, left = (picture.shape[0] - rows) // 2, (picture.shape[1] - columns) // 2
    return picture[top : top + rows, left : left + columns]


def _with_channels(picture: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    if picture.shape[2] == 4:
        picture = composite(picture, 255)
    if picture.shape[2] == channels:
        return picture
    return luma(picture) if channels == 1 else np.repeat(picture, 3, axis=2)


def _to_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def _require(condition: bool, name: str, requirement: str, received: object) -> None:
    if not condition:
        raise ManifestError(
            f"`preprocess.{name}` must be {requirement}. Received: {received!r}. Export the model again."
        )
