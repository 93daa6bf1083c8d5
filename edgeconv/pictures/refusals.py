"""Why a file is no picture that is read, in a sentence: loaded once one is refused."""

from __future__ import annotations

from pathlib import Path

from edgeconv.errors import ImageError, one_line
from edgeconv.pictures import decoding


def unreadable(path: Path | str, error: OSError | ValueError) -> ImageError:
    """Return the error for a path that cannot be opened as a file."""
    if isinstance(error, FileNotFoundError):
        return ImageError(f"{path}: a picture file is required. Received: no such file. Check the path.")
    if isinstance(error, IsADirectoryError):
        return ImageError(f"{path}: a picture file is required. Received: a folder. Name the files in it.")
    reason = one_line(getattr(error, "strerror", None) or error)
    return ImageError(f"{path}: a readable file is required. Received: {reason}. Name another, or give its bytes.")


def unknown_format(name: str, head: bytes) -> ImageError:
    """Return the error for a file of another format than those that are read."""
    return ImageError(
        f"{name}: a PNG, JPEG, BMP, GIF, WebP or TIFF picture is required. "
        f"Received: a file that begins with {head!r}. Convert it first."
    )


def damaged(name: str, error: Exception) -> ImageError:
    """Return the error for a picture that its decoder failed on."""
    from edgeconv.pictures.metadata import MetadataError

    if isinstance(error, MetadataError):
        return ImageError(f"{name}: {error}")
    return ImageError(f"{name}: the picture is damaged or cut short ({one_line(error)}). Get a new copy.")


def wrong_size(name: str, width: int, height: int) -> ImageError:
    """Return the error for a picture of no pixels, or of more than any may have."""
    if not width * height:
        return ImageError(f"{name}: a picture is required. Received: an image of {width}x{height} pixels.")
    many = width * height > decoding.MAX_PIXELS
    required = f"{decoding.MAX_PIXELS / 1e6:.0f} megapixels" if many else f"{decoding.MAX_SIDE:,} pixels a side"
    return ImageError(
        f"{name}: a picture of at most {required} is required. Received: {width}x{height}. Scale it down first."
    )
