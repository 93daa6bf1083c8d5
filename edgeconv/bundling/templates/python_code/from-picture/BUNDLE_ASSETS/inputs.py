"""Pictures, read as the model takes them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from .contract import INPUTS, Arrays, InputError, in_words

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
MAX_PIXELS = 89_478_485  # a quarter GiB of RGB; beyond it Pillow suspects a bomb

Picture = NDArray[np.uint8]


def feed(source: Picture | str | Path | bytes) -> Arrays:
    """Return what the model takes of a picture.

    Args:
        source: a file, its bytes, or pixels: uint8, (height, width, channels), 0-255,
            of any size; 1 channel is grey, 3 are RGB, 4 RGB and straight alpha.

    Raises:
        InputError: it is no such picture.
    """
    picture = source if isinstance(source, np.ndarray) else read_picture(source)
    if picture.dtype != np.uint8 or picture.ndim != 3 or not picture.size:
        raise InputError(
            "pixels must be uint8 (height, width, channels), "
            f"not {picture.dtype} {picture.shape}"
        )
    if picture.shape[2] not in (1, 3, 4):
        raise InputError(f"1, 3 or 4 channels are read, not {picture.shape[2]}")
    return {INPUTS[0]: picture}


def read_picture(source: str | Path | bytes) -> Picture:
    """Read a picture of one of FORMATS, upright as its EXIF data says.

    Returns:
        uint8, (height, width, channels), 0-255: grey, RGB, or RGB and straight alpha.

    Raises:
        InputError: there is no such file, or it is no picture, damaged or too large.
    """
    try:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"{image.width}x{image.height} is too large")
            return _to_array(ImageOps.exif_transpose(image))
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"is none of {', '.join(FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise InputError("is too large") from error
    except Exception as error:  # damaged bytes make decoders fail in every way
        raise InputError(f"is damaged: {in_words(error)}") from error


def _to_array(image: Image.Image) -> Picture:
    if image.mode.startswith("I;16"):
        return _to_bytes(np.asarray(image), 65535)
    if image.mode in ("I", "F"):
        values = np.asarray(image)
        brightest = float(np.max(values, initial=0, where=np.isfinite(values)))
        # Such files do not say what white is: the smallest usual value that holds all.
        usual = (255, 65535) if image.mode == "I" else (1, 255, 65535)
        return _to_bytes(values, next((w for w in usual if brightest <= w), brightest))
    opaque = "L" if image.mode in ("1", "L") else "RGB"
    pixels = np.array(image.convert("RGBA" if image.has_transparency_data else opaque))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _to_bytes(values: NDArray[Any], white: float) -> Picture:
    shares = np.clip(np.nan_to_num(values.astype(np.float64)), 0, white) / white
    return np.rint(shares * 255).astype(np.uint8)[..., None]
