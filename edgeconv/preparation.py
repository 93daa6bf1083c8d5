"""How a picture becomes a model's input, as data: the block `preprocess` of a manifest."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from edgeconv.errors import ConfigError, ManifestError
from edgeconv.record import Record

KINDS = ("digit", "resize")
FITS = ("crop", "stretch", "pad")
FILTERS = ("triangle", "bilinear", "nearest")
INTERPOLATIONS = ("bilinear", "nearest")

KERAS_DIRECTORY = "keras-directory"
"""The name of `keras.utils.image_dataset_from_directory` as a loader of pictures."""
_OF_KIND = {"digit": ("box",), "resize": ("fit", "filter")}
"""The fields that only one kind has."""


class Preparation(Record):
    """How a picture becomes a model's input: data, kept in the manifest.

    Attributes:
        kind: "digit" prepares as MNIST was prepared; "resize" only scales.
        height: rows of the model's input.
        width: columns of the model's input.
        channels: 1 (grey) or 3 (RGB).
        box: digit: the ink is scaled into a square of this many pixels. MNIST: 20 of 28.
        fit: resize: "crop" cuts the middle out, "stretch" ignores the aspect, "pad" adds black bars.
        filter: resize: "triangle", antialiased; "bilinear", not antialiased, and "nearest", as TensorFlow resizes.

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


class Fitting(Record):
    """How a picture is brought to a model's size, as far as somebody said.

    Attributes:
        fit: "crop", the default, "stretch" or "pad"; see `Preparation`.
        interpolation: "bilinear", the default, or "nearest".
        antialias: whether shrinking averages over all pixels, as it does by default; Keras and TensorFlow do not.

    Raises:
        ConfigError: an option has a value it cannot have.

    Example:
        >>> Fitting("stretch", antialias=False).applied(Preparation("resize", 8, 8, 3)).filter
        'bilinear'
    """

    fit: str | None = None
    interpolation: str | None = None
    antialias: bool | None = None

    def __post_init__(self) -> None:
        for option, choices in (("fit", FITS), ("interpolation", INTERPOLATIONS)):
            value = getattr(self, option)
            if value is not None and value not in choices:
                raise ConfigError(
                    f"`{option}` must be one of {', '.join(choices)}. Received: {value!r}. Choose one of these."
                )
        if self.antialias and self.interpolation == "nearest":
            raise ConfigError(
                "`antialias` is for interpolation 'bilinear'. Received: True with 'nearest'. Leave one of them out."
            )

    @property
    def is_stated(self) -> bool:
        """Whether anybody said anything."""
        return self != Fitting()

    def applied(self, preparation: Preparation) -> Preparation:
        """Return a preparation that fits pictures so; what nobody said stays as it is.

        Raises:
            ConfigError: it is one of digits, which are found in a picture, not fitted.
        """
        if not self.is_stated:
            return preparation
        if preparation.kind != "resize":
            raise ConfigError(
                "`fit`, `interpolation` and `antialias` are for preparation 'resize'. Received: preparation "
                f"{preparation.kind!r}. Leave them out."
            )
        before = Fitting.of(preparation)
        interpolation = self.interpolation or before.interpolation
        antialias = before.antialias if self.antialias is None else self.antialias
        made = "nearest" if interpolation == "nearest" else "bilinear" if antialias is False else "triangle"
        return replace(preparation, fit=self.fit or preparation.fit, filter=made)

    @classmethod
    def of(cls, preparation: Preparation) -> Fitting:
        """Return how a preparation fits pictures."""
        if preparation.kind != "resize":
            return cls()
        if preparation.filter == "nearest":
            return cls(preparation.fit, "nearest")
        return cls(preparation.fit, "bilinear", preparation.filter == "triangle")


AS_KERAS_DIRECTORY = Fitting("stretch", "bilinear", antialias=False)
"""How that loader fits pictures unless it is told otherwise."""


def _require(condition: bool, name: str, requirement: str, received: object) -> None:
    if not condition:
        raise ManifestError(
            f"`preprocess.{name}` must be {requirement}. Received: {received!r}. Export the model again."
        )
