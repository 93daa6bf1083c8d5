"""Render pictures of digits as a phone would take them, for tests of decoding and preparation.

A digit of 28x28 becomes ink on paper (or chalk on a board), anywhere in a picture of any size, under uneven light,
slightly out of focus, with the grain of the paper and the noise of the sensor.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

FILES: tuple[tuple[str, str], ...] = (
    ("png", "L"),
    ("png", "RGB"),
    ("png", "RGBA"),
    ("png", "LA"),
    ("png", "P"),
    ("png", "I;16"),
    ("png", "1"),
    ("jpg", "L"),
    ("jpg", "RGB"),
    ("jpg", "CMYK"),
    ("bmp", "L"),
    ("bmp", "RGB"),
    ("gif", "P"),
    ("webp", "RGB"),
    ("tiff", "L"),
    ("tiff", "RGB"),
    ("tiff", "I;16"),
    ("tiff", "F"),
)
"""File type and Pillow mode of every kind of file that `encode` writes."""

_EXIF_ORIENTATION = 0x0112
_TURN_BACK = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


_STROKES: dict[str, tuple[tuple[float, float], ...]] = {
    "0": tuple((0.5 + 0.32 * np.sin(a), 0.5 - 0.5 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 60)),
    "1": ((0.45, 1.0), (0.55, 0.0)),
    "2": (
        *((0.5 - 0.35 * np.cos(a), 0.3 - 0.3 * np.sin(a)) for a in np.linspace(0.3, 3.6, 30)),
        (0.1, 1.0),
        (0.9, 1.0),
    ),
    "4": ((0.65, 1.0), (0.65, 0.0), (0.1, 0.65), (0.9, 0.65)),
    "7": ((0.1, 0.05), (0.85, 0.0), (0.35, 1.0)),
}
"""The way of the pen, in x and y of the digit's height."""


def stroke_digit(glyph: str, *, side: int = 28, pen: float = 0.1) -> NDArray[np.uint8]:
    """Draw a digit with a round pen, as MNIST has it: in a box of 20/28, centred by its mass.

    Args:
        glyph: "0", "1", "2", "4" or "7".
        side: rows and columns.
        pen: width of the stroke, as a share of `side`.

    Returns:
        uint8, (side, side), 0-255, white on black.
    """
    fine = 1120  # drawn 40 times finer than 28, then averaged
    way = [(280 + x * 560, 280 + y * 560) for x, y in _STROKES[glyph]]
    image = Image.new("L", (fine, fine))
    draw = ImageDraw.Draw(image)
    radius = pen * fine / 2
    draw.line(way, fill=255, width=round(2 * radius), joint="curve")
    for x, y in way:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    left, top, right, bottom = image.getbbox() or (0, 0, fine, fine)
    scale = side * 20 / 28 / max(right - left, bottom - top)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    ink = np.asarray(image.crop((left, top, right, bottom)).resize(size, Image.Resampling.BOX))
    made = np.zeros((side, side), np.uint8)
    first = [
        round(side / 2 + 0.5 - float(ink.sum(axis=1 - axis) @ (np.arange(ink.shape[axis]) + 0.5)) / float(ink.sum()))
        for axis in (0, 1)
    ]
    made[first[0] : first[0] + size[1], first[1] : first[1] + size[0]] = ink
    return made


def phone_photo(
    digit: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    height: int | None = None,
    width: int | None = None,
    share: tuple[float, float] = (0.25, 0.8),
    bright_ink: bool = False,
    light: float = 0.4,
    noise: float = 4.0,
    blur: float = 0.006,
    turn: float = 6.0,
) -> NDArray[np.uint8]:
    """Render one digit as a photograph of ink on paper.

    Args:
        digit: uint8, (28, 28), 0-255, white on black.
        rng: where all chance comes from.
        height: rows of the picture; by default 40 to 2000, small ones as likely as large ones.
        width: columns; by default 3/4 to 4/3 of the height.
        share: least and most of the shorter side that the 28x28 square of the digit takes.
        bright_ink: chalk on a board instead of ink on paper.
        light: largest loss of light across the picture, 0-1.
        noise: standard deviation of the sensor's noise, in grey levels.
        blur: largest radius of the blur, as a share of the shorter side.
        turn: largest rotation, in degrees.

    Returns:
        uint8, (height, width, 3), 0-255.
    """
    height = height or int(np.exp(rng.uniform(np.log(40), np.log(2000))))
    width = width or int(height * rng.uniform(0.75, 4 / 3))
    side = min(height, width)
    size = max(20, int(side * rng.uniform(*share)))
    ink = _place(_enlarge(digit, size, rng.uniform(-turn, turn)), height, width, rng)
    paper, pen = rng.uniform(170, 245), rng.uniform(10, 90)
    if bright_ink:
        paper, pen = rng.uniform(20, 80), rng.uniform(190, 250)
    tint = rng.uniform(0.94, 1.0, (2, 3))
    surface = 1 + 0.02 * _smooth_noise(height, width, max(2, side // 60), rng)[..., None]
    scene = (1 - ink[..., None]) * paper * tint[0] * surface + ink[..., None] * pen * tint[1]
    scene *= _lighting(height, width, light, rng)[..., None]
    image = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, blur) * side))
    noisy = np.asarray(image, np.float32) + rng.normal(0, noise, (height, width, 1)).astype(np.float32)
    return np.rint(np.clip(noisy, 0, 255)).astype(np.uint8)


def photograph(digit: NDArray[np.uint8], rng: np.random.Generator, path: Path) -> Path:
    """Write a phone-like picture of a digit, of any size, as any kind of file, some turned by EXIF, some blurred.

    Args:
        digit: uint8, (28, 28), 0-255, white on black.
        rng: where all chance comes from.
        path: the file to write, without its suffix.

    Returns:
        The file.
    """
    file_type, mode = FILES[rng.integers(len(FILES))]
    light = 0.1 if mode == "1" else 0.4  # a scanner that makes line art has a lamp
    turned = file_type in {"jpg", "png", "webp"} and rng.random() < 0.4
    orientation = int(rng.choice([3, 6, 8])) if turned else 1
    return encode(phone_photo(digit, rng, light=light), file_type, mode, path, orientation=orientation)


def encode(picture: NDArray[np.uint8], file_type: str, mode: str, path: Path, *, orientation: int = 1) -> Path:
    """Write a picture as a file of the given type and mode.

    Args:
        picture: uint8, (height, width, 3), 0-255, upright.
        file_type: suffix, such as "png".
        mode: Pillow mode, such as "RGB", "I;16" or "1".
        path: the file to write, without its suffix.
        orientation: EXIF orientation: 1, 3, 6 or 8; the pixels are stored turned, as a phone stores them.

    Returns:
        The file.
    """
    upright = Image.fromarray(picture)
    turned = upright.transpose(_TURN_BACK[orientation]) if orientation != 1 else upright
    image = _to_mode(turned, mode)
    file = path.with_name(f"{path.name}.{file_type}")
    options: dict[str, object] = {"quality": 85} if file_type in {"jpg", "webp"} else {}
    if orientation != 1:
        exif = Image.Exif()
        exif[_EXIF_ORIENTATION] = orientation
        options["exif"] = exif
    image.save(file, **options)
    return file


def _to_mode(image: Image.Image, mode: str) -> Image.Image:
    grey = np.asarray(image.convert("L"))
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    if mode == "F":
        return Image.fromarray(grey.astype(np.float32) / 255)
    if mode == "1":  # a scanner's line art: one threshold halfway between the paper and the ink
        # The ink of a small digit is less than a hundredth of the picture: only the very darkest is surely ink.
        middle = (float(grey.min()) + float(np.median(grey))) / 2
        return Image.fromarray(grey > middle)
    if mode == "P":
        return image.convert("P", palette=Image.Palette.ADAPTIVE)
    return image.convert("L").convert(mode) if mode in {"L", "LA"} else image.convert(mode)


def _enlarge(digit: NDArray[np.uint8], size: int, degrees: float) -> NDArray[np.float32]:
    """Enlarge the digit into a stroke with a sharp edge; float32, (size, size), 0-1."""
    smooth = Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)
    turned = smooth.rotate(degrees, Image.Resampling.BICUBIC)
    grey = np.asarray(turned, np.float32) / 255
    sharpness = max(1.0, size / 28)  # the edge of an enlarged digit is as soft as the enlargement: draw it again
    return np.clip((grey - 0.5) * sharpness + 0.5, 0, 1)


def _place(ink: NDArray[np.float32], height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    size = len(ink)
    made = np.zeros((max(height, size), max(width, size)), np.float32)
    top, left = int(rng.integers(0, made.shape[0] - size + 1)), int(rng.integers(0, made.shape[1] - size + 1))
    made[top : top + size, left : left + size] = ink
    return made[:height, :width]


def _lighting(height: int, width: int, loss: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Light from one side and a vignette; float32, (height, width), up to 1."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    angle = rng.uniform(0, 2 * np.pi)
    side = (np.cos(angle) * x + np.sin(angle) * y) / np.sqrt(2)
    gradient, vignette = rng.uniform(0, loss), rng.uniform(0, loss / 2)
    return (1 - gradient * (side + 1) / 2 - vignette * (x**2 + y**2) / 2).astype(np.float32)


def _smooth_noise(height: int, width: int, grain: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Blotches of about `grain` pixels; float32, (height, width), standard deviation about 1."""
    coarse = rng.normal(0, 1, (height // grain + 2, width // grain + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.float32)
