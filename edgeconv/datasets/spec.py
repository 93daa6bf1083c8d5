"""Which dataset, and how: the options of `open_dataset`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from edgeconv.config import between, one_of
from edgeconv.errors import ConfigError
from edgeconv.fitting import Fitting
from edgeconv.preparation import CHANNELS

NAMES = ("auto", "mnist", "mnist-sample", "fashion-mnist")
"""What `DatasetSpec.dataset` may be besides a path."""

PREPARATIONS = ("auto", "digit", "resize")

MAX_SIDE = 4096
"""Longest side of an image in pixels: far above what a small convnet takes, far below what fills the memory."""


@dataclass(frozen=True)
class DatasetSpec:
    """Which dataset to open, and how.

    Attributes:
        dataset: a name of `NAMES`, or the path of an `.npz` file, a folder of IDX files, or a folder with one
            subfolder of pictures a class. A name wins over a folder of that name: write `./mnist` for the folder.
        data_dir: where to look for mnist and fashion-mnist, and nowhere else. None: the usual places.
        image_size: (height, width) in pixels that pictures of a folder are brought to. None: 64 x 64, or 28 x 28
            with preparation "digit". For the other sources it may only repeat the size that the images have.
        val_split: share of each class, between 0 and 1, that is held out as the test split where the source has none.
        channels: 1 (grey), 3 (RGB) or 4 (RGB and alpha). None: 1 if every picture of a folder is grey, else 3. For the
            other sources it may only repeat what the images have.
        preparation: how a picture becomes an image: "digit" as MNIST was made, "resize" scaled only,
            "auto" digit for MNIST and its sample, resize for the rest.
        seed: of the held-out split, 0 or more.
        fit, interpolation, antialias, transparency: how pictures are brought to the size with preparation "resize"; see
            `Fitting`.

    Raises:
        ConfigError: an option has a value it cannot have.

    Example:
        >>> DatasetSpec("photos", image_size=(96, 96)).is_path
        True
    """

    dataset: str = "auto"
    data_dir: str | None = None
    image_size: tuple[int, int] | None = None
    val_split: float = 0.2
    channels: int | None = None
    preparation: str = "auto"
    seed: int = 0
    fit: str | None = None
    interpolation: str | None = None
    antialias: bool | None = None
    transparency: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.dataset, str) or not self.dataset:
            raise ConfigError(f"`dataset` must be a name or a path. Received: {self.dataset!r}. Try 'mnist'.")
        if self.data_dir is not None and (not isinstance(self.data_dir, str) or not self.data_dir):
            raise ConfigError(f"`data_dir` must be the path of a folder. Received: {self.data_dir!r}. Try '.'.")
        if self.data_dir is not None and (self.is_path or self.dataset == "mnist-sample"):
            raise ConfigError(
                f"`data_dir` is for auto, mnist and fashion-mnist. Received: {self.data_dir!r} with dataset "
                f"{self.dataset!r}, which is found without it. Leave `data_dir` out."
            )
        if self.image_size is not None:
            if not isinstance(self.image_size, tuple) or len(self.image_size) != 2:
                raise ConfigError(f"`image_size` must be (height, width). Received: {self.image_size!r}. Try (64, 64).")
            for side in self.image_size:
                between("image_size", side, 1, MAX_SIDE)
        if not isinstance(self.val_split, float) or not 0 < self.val_split < 1:
            raise ConfigError(f"`val_split` must be above 0 and below 1. Received: {self.val_split!r}. Try 0.2.")
        if self.channels not in {None, *CHANNELS.values()}:
            raise ConfigError(
                f"`channels` must be 1 (grey), 3 (rgb) or 4 (rgba). Received: {self.channels!r}. Choose one of these."
            )
        one_of("preparation", self.preparation, PREPARATIONS)
        if self.preparation == "digit" and self.channels in {3, 4}:
            raise ConfigError(
                f"`channels` must be 1 with preparation 'digit'. Received: {self.channels}. Leave it out, or choose "
                "'resize'."
            )
        between("seed", self.seed, 0, 2**32 - 1)
        if self.preparation == "digit" and self.fitting.is_stated:
            raise ConfigError(
                "`fit`, `interpolation` and `antialias` are for preparation 'resize'. Received: preparation 'digit'. "
                "Leave them out."
            )

    @property
    def fitting(self) -> Fitting:
        """How pictures are brought to the size, as far as it is stated."""
        return Fitting(self.fit, self.interpolation, self.antialias, self.transparency)

    @property
    def is_path(self) -> bool:
        """Whether `dataset` is a path and not one of `NAMES`."""
        return self.dataset not in NAMES

    def as_dict(self) -> dict[str, Any]:
        """Return the options, ready for JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DatasetSpec:
        """Read what `as_dict` wrote; what is left out has its default.

        Args:
            data: options by name.

        Returns:
            The same options.

        Raises:
            ConfigError: an option is unknown, or has a value it cannot have.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(data) - set(known))
        if unknown:
            raise ConfigError(f"The options of a dataset are {', '.join(known)}. Received: {', '.join(unknown)}.")
        size = data.get("image_size")
        return cls(**{**data, "image_size": tuple(size) if isinstance(size, list) else size})
