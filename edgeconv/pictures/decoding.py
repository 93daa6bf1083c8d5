"""Read a picture from a file or from bytes into a numpy array, safely.

The format is told from the first bytes, never from the file's name, and only that one Pillow plugin is imported:
nothing else of Pillow is reachable by a hostile file, and a cold start does not pay for the others.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeconv.artifact import open_regular
from edgeconv.errors import ImageError

EXTENSIONS: frozenset[str] = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff"}
)
"""Lower-case suffixes of the files that `decode` reads."""

UNREAD_EXTENSIONS = frozenset({".heic", ".heif", ".avif", ".jxl"})
"""Of the photographs that phones and cameras make, those that `decode` refuses: a folder of them is not empty."""

MAX_PIXELS = 89_478_485
"""Largest picture, in pixels: the size at which Pillow itself suspects a decompression bomb (a quarter GiB of RGB)."""

MAX_SIDE = 65_535
"""Longest side of a picture, in pixels: of JPEG and GIF."""

MAX_BYTES = 2**29
"""Longest file of a picture, in bytes: six for each of MAX_PIXELS, as an uncompressed TIFF of 16-bit RGB has."""

ORDINARY_PIXELS = 2**22
ORDINARY_BYTES = 2**23
"""What is no larger, in pixels and as a file, is decoded and converted at once."""

_ORDINARY_COST = 48
"""Bytes that a pixel of an ordinary picture takes at most: one of 16 bits, as several arrays of floats."""

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
"""What turns a picture upright, by its EXIF orientation (CIPA DC-008, section 4.6.5).

Pillow's own `exif_transpose` sits in a module that is slow to import.
"""

ON_ITS_SIDE = 5
"""First orientation whose rows are columns."""


Claim = Callable[[int], object]
"""Told how many bytes a picture will take, before they are; it may wait until there is room."""


class Sized(NamedTuple):
    """A picture, and how large it is in its file.

    Attributes:
        pixels: uint8, (height, width, channels), 0-255; fewer than in the file where all of them would take too much.
        size: (height, width) in the file, upright.
    """

    pixels: NDArray[np.uint8]
    size: tuple[int, int]


class Draft(NamedTuple):
    """What of a JPEG is read where less than all of it will do; see `edgeconv.pictures.drafting`.

    Attributes:
        grey: its luma alone, where it has more pixels than ORDINARY_PIXELS.
        least: height and width that are left of it at least; None keeps all.
    """

    grey: bool = False
    least: tuple[int, int] | None = None

    def mode_of(self, image: Image.Image) -> str | None:
        """Return the mode of Pillow that an image, not loaded yet, is read in; None where it is its own."""
        return "L" if self.grey and image.width * image.height > ORDINARY_PIXELS else None


WHOLE = Draft()


def decode(source: Path | str | bytes) -> NDArray[np.uint8]:
    """Read a PNG, JPEG, BMP, GIF (first frame), WebP or TIFF picture, upright as its EXIF data says.

    Palettes, CMYK and other colour spaces become RGB; 1-bit, 16-bit, 32-bit and float greys become 8-bit;
    anything with transparency keeps it as a fourth channel. A picture that would take more memory than
    `edgeconv.pictures.budget` allows is scaled down by a whole factor.

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
    return decode_sized(source).pixels


def decode_sized(source: Path | str | bytes, claim: Claim = id, draft: Draft = WHOLE) -> Sized:
    """Read a picture as `decode` does, and tell how large it is in its file.

    Args:
        source: a path, or the bytes of a file.
        claim: told how much memory that takes, before it does.
        draft: what of a JPEG is read.
    """
    name = "<bytes>" if isinstance(source, bytes) else str(source)
    with open_image(source, name, claim) as (image, file):
        if image.format != "JPEG" or (draft.least is None and draft.mode_of(image) is None):
            return pixels_of(image, name, claim, file)
        from edgeconv.pictures.drafting import drafted

        size = drafted(image, draft, name, getattr(file, "held", 0))
        return Sized(pixels_of(image, name, claim, file).pixels, size)


@contextmanager
def open_image(source: Path | str | bytes, name: str, claim: Claim = id) -> Iterator[tuple[Any, Any]]:
    """Open a picture, not yet its pixels, as an image of Pillow, and the file that it is read from.

    Args:
        source: a path, or the bytes of a file.
        name: of the picture, for errors.
        claim: told how much memory a format takes that takes some when it is opened.

    Raises:
        ImageError: see `decode`; whatever is raised while the picture is open becomes one.
    """
    opened, length = (BytesIO(source), len(source)) if isinstance(source, bytes) else _opened(source)
    with opened:
        if not length:
            raise ImageError(f"{name}: a picture is required. Received: an empty file.")
        try:
            file: Any = opened
            if length > ORDINARY_BYTES:
                from edgeconv.pictures.metadata import MeteredFile

                file = MeteredFile(opened, length)
            elif not isinstance(source, bytes):
                file = BytesIO(opened.read())
            yield _read_header(file, length, name, claim), file
        except ImageError:
            raise
        except Exception as error:  # a decoder that is fed damaged bytes fails in every way there is
            from edgeconv.pictures.refusals import damaged

            raise damaged(name, error) from error


def pixels_of(image: Image.Image, name: str, claim: Claim = id, file: BinaryIO | None = None) -> Sized:
    """Return the pixels of an image of Pillow, of any mode, as `decode` does; the image is left as it is.

    Args:
        image: opened from a file, or made.
        name: of the image, for errors.
        claim: told how much memory that takes, before it does.
        file: that it is read from.

    Raises:
        ImageError: it is too large.
        Exception: it is damaged: a decoder fails in every way there is, see `open_image`.
    """
    width, height = image.size
    check_size(width, height, name)
    in_memory = file is None or isinstance(file, BytesIO)
    if not in_memory or width * height > ORDINARY_PIXELS or image.format == "TIFF":
        from edgeconv.pictures.bands import load_in_bands

        pixels, orientation = load_in_bands(image, name, claim, file), orientation_of(image)
    else:
        claim(width * height * _ORDINARY_COST)
        image.load()
        # Looking for EXIF takes as long as decoding 28x28 pixels; once loaded, `info` says whether there is any.
        orientation = 1 if file is not None and image.format == "PNG" and not image.info else orientation_of(image)
        pixels = to_array(image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image)
    return Sized(pixels, (width, height) if orientation >= ON_ITS_SIDE else (height, width))


def _opened(path: Path | str) -> tuple[BinaryIO, int]:
    """Open a file, and tell how long it is."""
    try:
        file = open_regular(path, MAX_BYTES)
        return file, os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:
        from edgeconv.pictures.refusals import unreadable

        raise unreadable(path, error) from error


def is_known(head: bytes) -> bool:
    """Tell from its first bytes whether a file is of a format that `decode` reads."""
    return any(head.startswith(magic) for magic, _, _ in _PLUGINS)


def _read_header(file: BinaryIO, length: int, name: str, claim: Claim) -> Any:
    head = file.read(8)
    file.seek(0)
    for magic, module, reader in _PLUGINS:
        if head.startswith(magic):
            if module in {"WebPImagePlugin", "TiffImagePlugin"}:  # These take memory when they are opened.
                from edgeconv.pictures.headers import check_header

                check_header(file, length, name, claim)
            return _reader(module, reader)(file)
    from edgeconv.pictures.refusals import unknown_format

    raise unknown_format(name, head)


@cache
def _reader(module: str, name: str) -> Callable[[BinaryIO], Any]:
    """Import what reads a format, and leave out what Pillow and libtiff warn of damaged tags and EXIF data."""
    # An app's own filters come first.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.", append=True)
    plugin = importlib.import_module(f"PIL.{module}")
    if module == "TiffImagePlugin":
        from edgeconv.pictures.libtiff import silence

        silence()
    return cast("Callable[[BinaryIO], Any]", getattr(plugin, name))


def check_size(width: int, height: int, name: str) -> None:
    """Raise ImageError for a picture of no pixels, or of more than any may have."""
    if not 0 < width * height <= MAX_PIXELS or max(width, height) > MAX_SIDE:
        from edgeconv.pictures.refusals import wrong_size

        raise wrong_size(name, width, height)


def orientation_of(image: Image.Image) -> int:
    """Return how a picture lies in its file, 1 to 8, 1 where it does not say."""
    return int(image.getexif().get(_EXIF_ORIENTATION, 1))


def to_array(image: Image.Image, white: float | None = None) -> NDArray[np.uint8]:
    """Convert an image of Pillow, of any mode, to uint8, (height, width, 1, 3 or 4).

    Args:
        image: to be converted.
        white: full scale of greys of 32 bits, as `deep_to_bytes` takes it.
    """
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        from edgeconv.pictures.deep_greys import deep_to_bytes

        return deep_to_bytes(np.asarray(image), image.mode, white)
    if image.mode == "La":  # Pillow turns premultiplied grey into nothing else at once.
        image = image.convert("LA")
    opaque = "L" if image.mode in {"1", "L"} else "RGB"
    mode = "RGBA" if image.has_transparency_data else opaque
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return pixels[..., None] if pixels.ndim == 2 else pixels
