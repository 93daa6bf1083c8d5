"""Read a picture from whatever holds it: a file, its bytes, an image of Pillow, an array."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures.decoding import WHOLE, Claim, Draft, Sized, decode_sized, pixels_of

MOST_STREAMED = 2**28
"""Most bytes of a picture that is no file on a disk, and has to be held in memory whole."""

_PIECE = 2**20

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class BinaryFile(Protocol):
        """A file that was opened for reading bytes, or anything that reads as one does."""

        def read(self, size: int = -1, /) -> bytes:
            """Return at most so many of the bytes from here on, or all of them."""

    Picture = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryFile | Image.Image | NDArray[np.uint8]
    """What `read_picture` takes."""


def read_picture(picture: Picture) -> NDArray[np.uint8]:
    """Return the pixels of a picture, and leave the picture as it is.

    Args:
        picture: a path; the bytes of a PNG, JPEG, BMP, GIF, WebP or TIFF file, or such a file opened for reading bytes;
            an image of Pillow in any mode; or an array, uint8, (height, width) or (height, width, channels), 0-255,
            of 1 (grey), 3 (RGB) or 4 (RGB and straight alpha) channels, with any strides.

    Returns:
        uint8, (height, width, channels), 0-255; channels is 1, 3 or 4.

    Raises:
        ImageError: it is none of these, or cannot be read.

    Example:
        >>> read_picture(np.zeros((600, 800), np.uint8)).shape
        (600, 800, 1)
    """
    return read_sized(picture).pixels


def read_sized(picture: Picture, claim: Claim = id, draft: Draft = WHOLE) -> Sized:
    """Return the pixels of a picture as `read_picture` does, and how large it is in its file.

    Args:
        picture: as `read_picture` takes it.
        claim: told how much memory that takes, before it does.
        draft: what of a JPEG's file is read.
    """
    if isinstance(picture, np.ndarray):
        pixels = _checked(plain(picture))
        return Sized(pixels, (pixels.shape[0], pixels.shape[1]))
    if isinstance(picture, Image.Image):
        try:
            return pixels_of(picture, "<image>", claim)
        except ImageError:
            raise
        except Exception as error:  # one that is not loaded yet, and damaged
            from edgeconv.pictures.refusals import damaged

            raise damaged("<image>", error) from error
    if isinstance(picture, bytes | bytearray | memoryview):
        return decode_sized(bytes(picture), claim, draft)
    if isinstance(picture, str | os.PathLike):
        return decode_sized(picture if isinstance(picture, str) else Path(picture), claim, draft)
    if hasattr(picture, "read"):
        return decode_sized(read_stream(picture), claim, draft)
    raise ImageError(
        "A picture must be a path, the bytes of a file, a file opened for reading bytes, an image of Pillow or a uint8 "
        f"array. Received: {type(picture).__name__}. {_advice(picture)}."
    )


def plain(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of numpy's own class: a matrix has two axes whatever is done to it.

    Raises:
        ImageError: some values of it are masked.
    """
    if type(array) is np.ndarray:  # The common case: a small model answers in 30 us.
        return array
    if hasattr(array, "mask"):
        raise ImageError(
            "An array must have all of its values. Received: a masked array. Fill it with `x.filled(0)`, or with the "
            "value that the background has."
        )
    return np.asarray(array)


def pixels_advice(array: NDArray[Any]) -> str:
    """Return how an array of another dtype becomes raw pixels, as far as its values tell."""
    if array.dtype.kind not in "biuf" or not array.size or not 0 <= array.min() <= array.max() <= 255:
        return "Give raw pixels: scale it to 0-255, and then use `x.round().astype(np.uint8)`"
    if array.dtype.kind == "f":
        whole = "(x * 255)" if array.max() <= 1 else "x"
        return f"Give raw pixels 0-255 with `{whole}.round().astype(np.uint8)`"
    return f"Give raw pixels 0-255 with `x.astype(np.uint8){' * 255' if array.dtype.kind == 'b' else ''}`"


def _checked(array: NDArray[Any]) -> NDArray[np.uint8]:
    pixels = array[..., None] if array.ndim == 2 else array
    if pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] in {1, 3, 4} and pixels.size:
        return np.ascontiguousarray(pixels)
    if array.dtype != np.uint8:
        advice = pixels_advice(array)
    elif array.ndim == 4:
        advice = "Give one picture at a time, or many to `predict_many`"
    else:
        advice = "Put the channels last"
    raise ImageError(
        "A picture must be uint8 (height, width) or (height, width, 1, 3 or 4). "
        f"Received: {array.dtype} {array.shape}. {advice}."
    )


def read_stream(file: BinaryFile, head: bytes = b"") -> bytes:
    """Return what comes through a file until it ends.

    Args:
        file: opened for reading bytes; or gives all that it has at once.
        head: what was read of it already.

    Raises:
        ImageError: it was not opened so, or more comes than MOST_STREAMED.
    """
    name, whole = getattr(file, "name", "<file>"), BytesIO()
    whole.write(head)
    while True:
        try:
            piece = file.read(_PIECE)
        except TypeError:  # It takes no number.
            piece = cast("Callable[[], bytes]", file.read)()
        except (OSError, ValueError) as error:  # It was closed, or opened for writing, or as text, which it is not.
            raise ImageError(_NOT_BINARY.format(name=name, received=type(error).__name__)) from error
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise ImageError(_NOT_BINARY.format(name=name, received=f"one that reads {type(piece).__name__}"))
        if whole.tell() + len(piece) > MOST_STREAMED:
            raise ImageError(
                f"{name}: at most {MOST_STREAMED / 1e6:.0f} MB are required of what is no file on a disk. Received: "
                "more. Give the path of a file, or scale the picture down."
            )
        if len(piece) > _PIECE:
            return bytes(piece)
        if not piece:
            return whole.getvalue()
        whole.write(piece)


_NOT_BINARY = "{name}: a file opened for reading bytes is required. Received: {received}. Open it with mode 'rb'."


def _advice(received: object) -> str:
    if isinstance(received, list | tuple | set | frozenset) or hasattr(received, "__next__"):
        return "Give many pictures to `predict_many`"
    if hasattr(received, "__array__"):
        return "Convert it with `numpy.asarray`"
    return "Give one of these"
