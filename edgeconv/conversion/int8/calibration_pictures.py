"""Calibration samples from pictures: a folder of them, a pattern, or one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.int8.calibration_arrays import Draw
from edgeconv.conversion.int8.feeds import Blocks
from edgeconv.conversion.keras.ports import Port
from edgeconv.errors import ConfigError, DatasetError, ImageError
from edgeconv.parity.comparison import Feeds
from edgeconv.pictures.decoding import EXTENSIONS, decode
from edgeconv.pictures.listing import find_pictures
from edgeconv.pictures.preparation import is_cropped, other_aspect, prepare
from edgeconv.preparation import Preparation
from edgeconv.progress import Progress

LOOKED_AT = 16
"""How many pictures to check for their aspect ratio where the fit is not stated."""


def blocks_of_pictures(
    place: Path, ports: Sequence[Port], preparation: Preparation | None, draw: Draw, progress: Progress
) -> tuple[Blocks, int, NDArray[np.int64] | None]:
    """Return the pictures of a place, prepared, how many they are, and their classes where folders tell them.

    Args:
        place: a folder, searched at any depth, a pattern as of a shell, or one picture.
        ports: the model's inputs, of which a picture is the only one.
        preparation: how a picture becomes the input; None where nobody knows.
        draw: chooses some.
        progress: hears of pictures that are cropped.

    Raises:
        ConfigError: the model takes no picture, or nobody knows how it is prepared.
        DatasetError: there are no pictures, or one cannot be used.
    """
    if preparation is None and len(ports) == 1 and len(ports[0].shape) == 3 and None in ports[0].shape[:2]:
        raise ConfigError(
            f"`calibration` with pictures requires a size that they become. Received: `{place}` and a model that takes "
            f"any, {ports[0].shape}. State it with `--image-size HxW`, such as 224x224."
        )
    if preparation is None:
        raise ConfigError(
            f"`calibration` with pictures requires a model that states how pixels are scaled. Received: "
            f"`{place}` and a model without a Rescaling layer or a size of its own. State it "
            "with `--input-range LOW:HIGH`, or give an .npz of arrays as the model takes them."
        )
    paths = list(find_pictures(str(place)))
    if not paths or (paths == [str(place)] and not place.exists()):
        raise DatasetError(
            f"`{place}` must be a picture or hold some. Received: none with the endings "
            f"{', '.join(sorted(EXTENSIONS))}. Name another folder, pattern or file."
        )
    chosen = draw(len(paths))
    looked_at = chosen[:LOOKED_AT]
    cropped = sum(is_cropped(_decoded(paths[index]), preparation) for index in looked_at)
    if cropped and preparation.kind == "resize":
        progress.say(other_aspect(cropped, len(looked_at), preparation))

    def blocks(start: int) -> Iterator[Feeds]:
        for index in chosen[start:]:
            try:
                prepared = prepare(decode(paths[index]), preparation)
            except ImageError as error:
                raise _unusable(paths[index], error) from error
            yield {ports[0].name: prepared[None]}

    labels = _classes_of(place, paths)
    return blocks, len(chosen), None if labels is None else labels[chosen]


def _decoded(path: str) -> NDArray[np.uint8]:
    try:
        return decode(path)
    except ImageError as error:
        raise _unusable(path, error) from error


def _unusable(path: str, error: ImageError) -> DatasetError:
    return DatasetError(f"Every picture must be usable. {path}: {error} Or remove it.")


def _classes_of(folder: Path, paths: list[str]) -> NDArray[np.int64] | None:
    """Return the class of each picture where they lie in several folders: a folder is a class, as for training."""
    if not folder.is_dir():
        return None
    places = [Path(path).relative_to(folder).parts for path in paths]
    names = sorted({parts[0] for parts in places})
    if len(names) < 2 or any(len(parts) == 1 for parts in places):
        return None
    return np.array([names.index(parts[0]) for parts in places], np.int64)
