"""Read a picture from a file or from bytes into a numpy array, safely.

The format is told from the first bytes, never from the file's name, and only that one Pillow plugin is imported:
nothing else of Pillow is reachable by a hostile file, and a cold start does not pay for the others.
"""

from __future__ import annotations

import importlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeconv.artifact import read_regular
from edgeconv.errors import ImageError, one_line

EXTENSIONS: frozenset[str] = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff"}
)
"""Lower-case suffixes of the files that `decode` reads."""

MAX_PIXELS = 89_478_485
"""Largest picture, in pixels: the size at which Pillow itself suspects a decompression bomb (a quarter GiB of RGB)."""

MAX_BYTES = 2**29
"""Longest file of a picture, in bytes: six for each of MAX_PIXELS, as an uncompressed TIFF of 16-bit RGB has."""

_PLUGINS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PngImagePlugin", "PngImageFile"),
    (b"\xff\xd8\xff", "JpegImagePlugin", "JpegImageFile"),
    (b"GIF87a", "GifImagePlugin", "GifImageFile"),
    (b"GIF89a", "GifImagePlugin", "GifImageFile"),
    (b"RIFF", "WebPImagePlugin", "WebPImageFile"),
    (b"BM", "BmpImagePlugin", "BmpImageFile"),
    (b"II*\x00", "TiffImagePlugin", "TiffImageFile"),
    (b"MM\x00*", "TiffImagePlugin", "TiffImageFile"),
    (b"II+\x00", "TiffImagePlugin", "TiffImageFile"),
    (b"MM\x00+", "TiffImagePlugin", "TiffImageFile"),
)
"""First bytes, and the Pillow module and class that read what follows."""

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its EXIF orientation (CIPA DC-008, section 4.6.5)."""


def decode(source: Path | str | bytes) -> NDArray[np.uint8]:
    """Read a PNG, JPEG, BMP, GIF (first frame), WebP or TIFF picture, upright as its EXIF data says.

    Palettes, CMYK and other colour spaces become RGB; 1-bit, 16-bit, 32-bit and float greys become 8-bit;
    anything with transparency keeps it as a fourth channel.

    Args:
        source: a path, or the bytes of a file.

    Returns:
        uint8, (height, width, channels), 0-255; channels is 1 (grey), 3 (RGB) or 4 (RGB and straight alpha).

    Raises:
        ImageError: the file is absent, empty, not a picture, damaged or too large. Names the file.

    Example:
        >>> decode("digit.png").shape  # doctest: +SKIP
        (600, 800, 3)
    """
    name = "<bytes>" if isinstance(source, bytes) else str(source)
    content = source if isinstance(source, bytes) else _read(Path(source))
    if not content:
        raise ImageError(f"{name}: a picture is required. Received: an empty file.")
    try:
        with _open(content, name) as image:
            return pixels_of(image, name)
    except ImageError:
        raise
    except Exception as error:  # a decoder that is fed damaged bytes fails in every way there is
        raise _damaged(name, error) from error


def pixels_of(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """Return the pixels of an image of Pillow, of any mode, as `decode` does; the image is left as it is.

    Args:
        image: opened from a file, or made.
        name: of the image, for errors.

    Raises:
        ImageError: it is damaged or too large.
    """
    _check_size(image, name)
    try:
        image.load()
        return _to_array(_upright(image))
    except Exception as error:  # see `decode`
        raise _damaged(name, error) from error


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        raise ImageError(f"{path}: a picture file is required. Received: no such file. Check the path.") from None
    except IsADirectoryError:
        raise ImageError(f"{path}: a picture file is required. Received: a folder. Name the files in it.") from None
    except (OSError, ValueError) as error:
        reason = one_line(getattr(error, "strerror", None) or error)
        raise ImageError(
            f"{path}: a readable file is required. Received: {reason}. Name another, or give its bytes."
        ) from error


def _damaged(name: str, error: Exception) -> ImageError:
    return ImageError(f"{name}: the picture is damaged or cut short ({one_line(error)}). Get a new copy.")


def is_known(head: bytes) -> bool:
    """Tell from its first bytes whether a file is of a format that `decode` reads."""
    return any(head.startswith(magic) for magic, _, _ in _PLUGINS)


def _open(content: bytes, name: str) -> Any:
    for magic, module, reader in _PLUGINS:
        if content.startswith(magic):
            return getattr(importlib.import_module(f"PIL.{module}"), reader)(BytesIO(content))
    raise ImageError(
        f"{name}: a PNG, JPEG, BMP, GIF, WebP or TIFF picture is required. "
        f"Received: a file that begins with {content[:8]!r}. Convert it first."
    )


def _check_size(image: Image.Image, name: str) -> None:
    width, height = image.size
    if not width * height:
        raise ImageError(f"{name}: a picture is required. Received: an image of {width}x{height} pixels.")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name}: a picture of at most {MAX_PIXELS / 1e6:.0f} megapixels is required. "
            f"Received: {width}x{height}. Scale it down first."
        )


def _upright(image: Image.Image) -> Image.Image:
    """Turn the picture upright; Pillow's own `exif_transpose` sits in a module that is slow to import."""
    turn = _UPRIGHT.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    return image if turn is None else image.transpose(turn)


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16"):
        return _to_bytes(np.asarray(image), 65535)
    if image.mode in {"I", "F"}:
        return _to_bytes(np.asarray(image), _full_scale(image))
    if image.mode == "La":  # Pillow turns premultiplied grey into nothing else at once.
        image = image.convert("LA")
    opaque = "L" if image.mode in {"1", "L"} else "RGB"
    mode = "RGBA" if image.has_transparency_data else opaque
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _full_scale(image: Image.Image) -> float:
    """White, for files that do not say it: the smallest usual full scale that holds the brightest pixel."""
    values = np.asarray(image)
    brightest = float(np.max(values, initial=0, where=np.isfinite(values)))
    usual = (255, 65535) if image.mode == "I" else (1, 255, 65535)
    return next((scale for scale in usual if brightest <= scale), brightest)


def _to_bytes(values: NDArray[Any], full_scale: float) -> NDArray[np.uint8]:
    shares = np.clip(np.nan_to_num(values.astype(np.float64)), 0, full_scale) / full_scale
    return np.rint(shares * 255).astype(np.uint8)[..., None]
