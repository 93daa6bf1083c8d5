"""Reads picture files. None of them, however it was made, takes more than 500 MB."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from .contract import InputError, in_words
from .files import open_regular
from .libtiff import silence
from .metadata import MetadataError, MeteredFile, check_tags
from .pixels import Picture, pixels_of

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
MAX_PIXELS = 89_478_485  # a quarter GiB of RGB; beyond it Pillow suspects a bomb
MAX_SIDE = 65_535

# What a picture may take while it is decoded.
MAX_BYTES = 400_000_000

# The model's preparation of a picture takes width x (height + ROWS_BESIDE) times this,
# by the channels, and may take MOST_PREPARATION_BYTES.
PIXEL_BYTES = BUNDLE_PIXEL_BYTES_PYTHON
ROWS_BESIDE = BUNDLE_ROWS_BESIDE
MOST_PREPARATION_BYTES = BUNDLE_MOST_BYTES

# What Pillow takes for a pixel, by the mode of the picture; in any other, 4.
MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I": 13, "F": 13}

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
PNG_READS = 2**16  # bytes of pixels that Pillow reads of a PNG at once


def read_picture(source: str | Path | bytes) -> Picture:
    """Read a picture of one of FORMATS, upright as its EXIF data says.

    Where its preparation would take more than MOST_PREPARATION_BYTES, it is scaled down
    by the smallest whole factor that helps.

    Returns:
        uint8, (height, width, channels), 0-255: grey, RGB, or RGB and straight alpha.

    Raises:
        InputError: there is no such file, or it is no picture, damaged or too large.
    """
    try:
        file = BytesIO(source) if isinstance(source, bytes) else open_regular(source)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or in_words(error)
        raise InputError(f"cannot be read: {reason}") from error
    try:
        with file, _opened(file) as image:
            return pixels_of(image, _factor(image))
    except InputError:
        raise
    except MetadataError as error:
        raise InputError(str(error)) from error
    except UnidentifiedImageError as error:
        raise InputError(f"is none of {', '.join(FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise InputError("is too large") from error
    except Exception as error:  # damaged bytes make decoders fail in every way
        raise InputError(f"is damaged: {in_words(error)}") from error


def _opened(file: BinaryIO) -> Any:
    """Return an image of Pillow that is not decoded yet, and may be."""
    metered: Any = MeteredFile(file, file.seek(0, 2))
    file.seek(0)
    if file.read(4) in TIFF_STARTS:
        file.seek(0)
        check_tags(metered)
    file.seek(0)
    silence()
    image = Image.open(metered, formats=FORMATS)
    _check_size(image, metered)
    return image


def _check_size(image: Any, file: MeteredFile) -> None:
    """Refuse what would take too much, before any pixel is decoded."""
    size = "{}x{}".format(*image.size)
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise InputError(f"{size} is too large")
    needed = file.held + _beside_pixels(image, file.length)
    if image.format == "JPEG":  # It can be scaled down while it is decoded.
        factor = _factor(image)
        image.draft(None, (image.width // factor, image.height // factor))
    needed += image.width * image.height * MODE_BYTES.get(image.mode, 4)
    if needed > MAX_BYTES:
        megabytes = f"{needed / 1e6:,.0f} MB of {MAX_BYTES / 1e6:,.0f}"
        raise InputError(f"{size} is too large: it would take {megabytes}")
    piece = PNG_READS if image.format == "PNG" else file.length
    file.decodes(piece, MAX_BYTES - int(needed))


def _beside_pixels(image: Any, length: int) -> float:
    """Return the bytes that a decoder keeps beside the pixels that it makes."""
    pixels = image.width * image.height
    if image.format == "JPEG":  # the coefficients of a progressive one
        samples = [across * down for _, across, down, _ in image.layer]
        return float(2 * pixels * sum(samples) / max(samples))
    if image.format == "WEBP":  # pictures of libwebp, and the file
        return float(12 * pixels + 3 * length)
    if image.format == "TIFF":  # the tile or the strip that is unpacked
        tags = image.tag_v2
        tile = tags.get(322, 0) * tags.get(323, 0)
        strip = image.width * min(tags.get(278, image.height), image.height)
        return float(8 * max(tile, strip))
    return 0.0


def _factor(image: Any) -> int:
    """Return by how much a picture has to be scaled down."""
    grey = image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16")
    channels = 4 if image.has_transparency_data else 1 if grey else 3
    width, height = image.size
    most = MOST_PREPARATION_BYTES / PIXEL_BYTES[channels]
    factor = 1
    while -(-width // factor) * (-(-height // factor) + ROWS_BESIDE) > most:
        factor += 1
    return factor
