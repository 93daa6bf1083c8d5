"""How a picture becomes a model's input, as data: the block `preprocess` of a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from edgeconv.errors import ManifestError
from edgeconv.record import Record

KINDS = ("digit", "resize")
FITS = ("crop", "stretch", "pad")

FILTERS: Mapping[str, tuple[str, bool]] = {
    "triangle": ("bilinear", True),
    "bilinear": ("bilinear", False),
    "nearest": ("nearest", False),
    "bicubic": ("bicubic", False),
    "lanczos3": ("lanczos3", False),
    "lanczos5": ("lanczos5", False),
    "area": ("area", False),
    "pillow-nearest": ("pillow-nearest", False),
    "pillow-bicubic": ("bicubic", True),
    "pillow-lanczos3": ("lanczos3", True),
    "pillow-box": ("box", True),
    "pillow-hamming": ("hamming", True),
}
"""What resizes pictures, by its name in manifests: the interpolation, and whether shrinking averages (antialias).

Antialiased, the numbers are those of Pillow; else those of TensorFlow, but for "pillow-nearest": where a pixel lies
between two, each takes another one.
"""

MAX_PIXELS = 2**26
"""Most pixels that a model takes: as float32 RGB they are 0.8 GB."""

TRANSPARENCIES = ("white", "ignore")

CHANNELS = {"grey": 1, "rgb": 3, "rgba": 4}
"""What pictures are read as, and the channels that they have then; the fourth is straight alpha."""

_OF_KIND = {"digit": ("box",), "resize": ("fit", "filter", "fit_assumed", "transparency")}
"""The fields that only one kind has."""


class Preparation(Record):
    """How a picture becomes a model's input: data, kept in the manifest.

    Attributes:
        kind: "digit" prepares as MNIST was prepared; "resize" only scales.
        height: rows of the model's input.
        width: columns of the model's input.
        channels: 1 (grey), 3 (RGB) or 4 (RGB and straight alpha).
        box: digit: the ink is scaled into a square of this many pixels. MNIST: 20 of 28.
        fit: resize: "crop" cuts the middle out, "stretch" ignores the aspect, "pad" adds black bars.
        filter: resize: a key of `FILTERS`.
        transparency: resize, to a model without alpha: "white" shows transparent pictures over white; "ignore" drops
            their alpha, and shows whatever colour lies under it, as Keras' loaders do.
        fit_assumed: resize: the fit was not stated and "crop" is a default: a runtime warns if it cuts pictures.

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
    transparency: str = "white"
    fit_assumed: bool = False

    def __post_init__(self) -> None:
        _require(self.kind in KINDS, "kind", f"one of {', '.join(KINDS)}", self.kind)
        for name in ("height", "width", "box"):
            value = getattr(self, name)
            _require(type(value) is int and value > 0, name, "a positive integer", value)
        most = f"at most {MAX_PIXELS:,} over the width"
        _require(self.height * self.width <= MAX_PIXELS, "height", most, self.height)
        _require(type(self.channels) is int and self.channels in {1, 3, 4}, "channels", "1, 3 or 4", self.channels)
        _require(self.fit in FITS, "fit", f"one of {', '.join(FITS)}", self.fit)
        _require(self.filter in FILTERS, "filter", f"one of {', '.join(FILTERS)}", self.filter)
        _require(
            self.transparency in TRANSPARENCIES,
            "transparency",
            f"one of {', '.join(TRANSPARENCIES)}",
            self.transparency,
        )
        _require(type(self.fit_assumed) is bool, "fit_assumed", "true or false", self.fit_assumed)
        if self.kind == "digit":
            side = min(self.height, self.width)
            _require(self.channels == 1, "channels", "1 for digits", self.channels)
            _require(self.box <= side, "box", f"at most the shorter side, {side}", self.box)

    @property
    def sentence(self) -> str:
        """What becomes of a picture, as a part of a sentence."""
        size = f"{self.height}x{self.width}"
        if self.kind == "digit":
            return f"the ink of a digit, centred in {size}, white on black"
        channels = {1: "grey", 3: "RGB", 4: "RGB and alpha"}[self.channels]
        fits = {"crop": "cropped to the aspect ratio of", "stretch": "stretched to", "pad": "with black bars to"}
        why = " (the default)" if self.fit_assumed else ""
        interpolation, antialias = FILTERS[self.filter]
        alpha = ", alpha ignored" if self.transparency == "ignore" and self.channels < 4 else ""
        averaged = "antialiased" if antialias else "not antialiased"
        return f"{channels}{alpha}, {fits[self.fit]} {size}{why}, {interpolation}, {averaged}"

    def as_dict(self) -> dict[str, Any]:
        """Return what the manifest holds: the fields that the kind has, ready for JSON."""
        others = {name for kind, names in _OF_KIND.items() if kind != self.kind for name in names}
        others |= {name for name in ("transparency", "fit_assumed") if getattr(self, name) in {"white", False}}
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
                f"Missing: {', '.join(missing) or 'none'}; unknown: {', '.join(map(repr, unknown)) or 'none'}. "
                "Export the model again, or install a newer edgeconv."
            )
        return cls(**data)


def _require(condition: bool, name: str, requirement: str, received: object) -> None:
    if not condition:
        raise ManifestError(
            f"`preprocess.{name}` must be {requirement}. Received: {received!r}. Export the model again."
        )
