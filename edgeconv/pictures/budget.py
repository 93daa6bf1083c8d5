"""How much memory a picture may take while it is read, and by how much it is scaled down where it would take more."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Any, NamedTuple

from edgeconv.errors import ImageError

PICTURE_BYTES = 400_000_000
"""What a picture may take while it is decoded and prepared. With the model, a process takes less than 500 MB."""

BAND_PIXELS = 2**18
"""Pixels that are converted at once."""

_BAND_BYTES = BAND_PIXELS * 64
"""What that takes at most: one of 16 bits is several arrays of floats."""

_STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
"""Bytes of a pixel in an image of Pillow, by mode; 4 in all others."""

_DRAFTS = (1, 2, 4, 8)
"""By what libjpeg divides the sides of a picture while it decodes it."""

WEBP_COST = 16
"""Bytes that libwebp and Pillow take for a pixel: two canvases, a frame, and the image."""

_RLE_COST = 2.25
"""Bytes that Pillow's decoder of run-length encoded BMP files takes for a pixel beside the image."""


class Plan(NamedTuple):
    """How a picture is read.

    Attributes:
        factor: by which its sides are divided; 1 where it is read as it is.
        total: bytes that this takes at most.
    """

    factor: int
    total: int


def plan(image: Any, held: int, name: str, *, drafts: bool = False) -> Plan:
    """Say how an image of Pillow that is not loaded yet fits into the memory that it may take.

    Args:
        image: what is to be read.
        held: bytes that are in memory already, of its file and of what was read of it.
        name: of the image, for errors.
        drafts: whether its decoder may scale it down.

    Raises:
        ImageError: it does not fit.
    """
    count, waits = image.width * image.height, bool(getattr(image, "tile", ()))
    stored = count * _STORED.get(image.mode, 4) * waits
    made = count * _channels(image)
    passing = 0
    if waits:
        passing = _passing(image, count)
        stored += count * (image.format == "GIF")  # What the next frame begins with.
    for factor in _DRAFTS if drafts else range(1, 9):
        kept = stored // factor**2 if drafts else stored
        total = held + _BAND_BYTES + max(kept + made // factor**2, kept + passing)
        if total <= PICTURE_BYTES:
            return Plan(factor, total)
    raise too_large(name, image.width, image.height, held + stored + max(made, passing))


def too_large(name: str, width: int, height: int, total: int) -> ImageError:
    """Return the error for a picture that would take more than it may."""
    return ImageError(
        f"{name}: a picture that is read with at most {PICTURE_BYTES / 1e6:.0f} MB of memory is required. Received: "
        f"{width}x{height}, which takes {total / 1e6:,.0f} MB in this format. Scale it down first."
    )


def _channels(image: Any) -> int:
    if image.has_transparency_data:
        return 4
    return 1 if image.mode in {"1", "L", "I", "F"} or image.mode.startswith("I;16") else 3


def _passing(image: Any, count: int) -> int:
    """Return the bytes that a decoder takes and lets go of before the image is converted."""
    decoder = image.tile[0][0]
    if decoder == "jpeg":
        return coefficients_of(image)
    if decoder == "bmp_rle":
        return int(count * _RLE_COST)
    if decoder == "libtiff":
        return _largest_piece(image)
    # Pillow reads a tile from its place to that of the next one, however far away that is.
    places = sorted(tile[2] for tile in image.tile)
    return 2 * max((after - before for before, after in pairwise(places)), default=0)


def coefficients_of(image: Any) -> int:
    """Return the bytes of a JPEG's coefficients, 16 bits each, which libjpeg holds if there is more than one scan."""
    scan = image.fp.read(3)  # What follows the marker of the first scan: two bytes of length, and how many colours.
    image.fp.seek(-len(scan), os.SEEK_CUR)
    if not image.info.get("progressive") and len(scan) == 3 and scan[2] >= image.layers:
        return 0
    most = max(across * down for _, across, down, _ in image.layer)
    shares = sum(across * down for _, across, down, _ in image.layer) / most
    return int(2 * image.width * image.height * shares)


def _largest_piece(image: Any) -> int:
    """Return the bytes of what libtiff decodes at once, a strip or a tile, and of its file, which it maps."""
    tags = image.tag_v2
    width, rows = tags.get(_TILE_WIDTH, image.width), tags.get(_TILE_LENGTH, tags.get(_ROWS_PER_STRIP, image.height))
    pixels = width * (rows if _TILE_LENGTH in tags else min(rows, image.height))
    samples = tags.get(_SAMPLES_PER_PIXEL, 1)
    size = pixels * samples * max(tags.get(_BITS_PER_SAMPLE, (1,))) // 8
    # Of colours by brightness, and of a JPEG inside, there are other forms beside it.
    return int(size + (pixels * (4 + 2 * samples) if tags.get(_PHOTOMETRIC) == _YCBCR else 0))


_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLES_PER_PIXEL, _ROWS_PER_STRIP = 258, 262, 277, 278
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_YCBCR = 6
"""Tags of TIFF, and a value of the second (TIFF 6.0, sections 8, 15 and 21)."""
