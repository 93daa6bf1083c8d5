"""How a picture becomes a model's input, as data: the block `preprocess` of a manifest."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from edgeconv.errors import ManifestError

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
                f"Missing: {', '.join(missing) or 'none'}; unknown: {', '.join(map(repr, unknown)) or 'none'}. "
                "Export the model again, or install a newer edgeconv."
            )
        return cls(**data)


def _require(condition: bool, name: str, requirement: str, received: object) -> None:
    if not condition:
        raise ManifestError(
            f"`preprocess.{name}` must be {requirement}. Received: {received!r}. Export the model again."
        )
