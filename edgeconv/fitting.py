"""How pictures are brought to a model's size, as far as somebody said: in options, or by the loader that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgeconv.errors import ConfigError
from edgeconv.preparation import FILTERS, FITS, TRANSPARENCIES, Preparation
from edgeconv.record import Record

INTERPOLATIONS = tuple(dict.fromkeys(interpolation for interpolation, _ in FILTERS.values()))


class Fitting(Record):
    """How a picture is brought to a model's size, as far as somebody said.

    Attributes:
        fit: "crop", the default, "stretch" or "pad"; see `Preparation`.
        interpolation: one of `INTERPOLATIONS`; "bilinear" by default.
        antialias: whether shrinking averages over all pixels, as Pillow does and as is the default where the
            interpolation can; Keras and TensorFlow do not.
        transparency: what a model without alpha sees of transparent pictures; "white" by default.

    Raises:
        ConfigError: an option has a value it cannot have.

    Example:
        >>> Fitting("stretch", antialias=False).applied(Preparation("resize", 8, 8, 3)).filter
        'bilinear'
    """

    fit: str | None = None
    interpolation: str | None = None
    antialias: bool | None = None
    transparency: str | None = None

    def __post_init__(self) -> None:
        choices_of = {"fit": FITS, "interpolation": INTERPOLATIONS, "transparency": TRANSPARENCIES}
        for option, choices in choices_of.items():
            value = getattr(self, option)
            if value is not None and value not in choices:
                raise ConfigError(
                    f"`{option}` must be one of {', '.join(choices)}. Received: {value!r}. Choose one of these."
                )
        if None not in (self.interpolation, self.antialias):
            wanted = (self.interpolation, self.antialias)
            if wanted not in FILTERS.values():
                offered = [name for name, antialias in FILTERS.values() if antialias is self.antialias]
                raise ConfigError(
                    f"`antialias` {self.antialias} is for interpolation {', '.join(offered)}. Received: "
                    f"{self.interpolation!r}. Leave one of them out."
                )

    def or_else(self, other: Fitting) -> Fitting:
        """Return what is stated here, and elsewhere where nothing is."""
        interpolation, antialias = self.interpolation or other.interpolation, self.antialias
        fits = self.interpolation is None or (interpolation, other.antialias) in FILTERS.values()
        if antialias is None and fits:
            antialias = other.antialias
        transparency = self.transparency or other.transparency
        return Fitting(self.fit or other.fit, interpolation, antialias, transparency)

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
        interpolation, antialias = FILTERS[preparation.filter]
        interpolation = self.interpolation or interpolation
        if self.antialias is not None:
            antialias = self.antialias
            Fitting(None, interpolation, antialias)  # Checks that there is such a one.
        names = {way: name for name, way in FILTERS.items()}
        made = names.get((interpolation, antialias)) or names[(interpolation, not antialias)]
        assumed = preparation.fit_assumed and self.fit is None
        return replace(
            preparation,
            fit=self.fit or preparation.fit,
            filter=made,
            transparency=self.transparency or preparation.transparency,
            fit_assumed=assumed,
        )

    @classmethod
    def of(cls, preparation: Preparation) -> Fitting:
        """Return how a preparation fits pictures, without what is only assumed."""
        if preparation.kind != "resize":
            return cls()
        fit = None if preparation.fit_assumed else preparation.fit
        return cls(fit, *FILTERS[preparation.filter], preparation.transparency)


KERAS_DIRECTORY, KERAS_LOAD_IMG = "keras-directory", "keras-load-img"

LOADERS: Mapping[str, Fitting] = {
    KERAS_DIRECTORY: Fitting("stretch", "bilinear", antialias=False, transparency="ignore"),
    KERAS_LOAD_IMG: Fitting("stretch", "pillow-nearest", transparency="ignore"),
}
"""Keras' own loaders of pictures by their names here, and how each fits them unless it is told otherwise.

`keras.utils.image_dataset_from_directory`; `keras.utils.load_img` with a target size, which the `flow_from_directory`
of `ImageDataGenerator` reads with too.
"""


def fitting_of(stated: Fitting, loader: str | None) -> Fitting:
    """Return how pictures are fitted: as is stated, else as the loader does that is named.

    Args:
        stated: what options say.
        loader: a key of `LOADERS`, a function of the user's own, or None.

    Example:
        >>> fitting_of(Fitting(interpolation="bicubic"), "keras-directory")
        Fitting(fit='stretch', interpolation='bicubic', antialias=False, transparency='ignore')
    """
    if loader is None or loader not in LOADERS:
        return stated
    if loader == KERAS_LOAD_IMG and stated.interpolation == "nearest":  # It reads with Pillow.
        stated = replace(stated, interpolation="pillow-nearest")
    return stated.or_else(LOADERS[loader])
