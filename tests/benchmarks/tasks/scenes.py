"""Drawn scenes: discs, squares and triangles before a shaded ground, with the class of each pixel and the boxes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 48
KINDS = ("disc", "square", "triangle")
MOST = 3


class Scene(NamedTuple):
    """A picture, uint8, (side, side, 3); its mask, 0 where nothing is, else 1 + kind; boxes of corners, and kinds."""

    picture: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    kinds: NDArray[np.int64]


def draw(count: int, seed: int) -> list[Scene]:
    """Return drawn scenes of one to three things, each in a quarter of its own."""
    generator = np.random.default_rng(seed)
    return [_scene(generator) for _ in range(count)]


def _scene(generator: np.random.Generator) -> Scene:
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    slope = generator.uniform(-1.0, 1.0, (2, 3))
    ground = generator.uniform(60, 190, 3) + rows[..., None] * slope[0] + columns[..., None] * slope[1]
    mask = np.zeros((SIDE, SIDE), np.uint8)
    boxes, kinds = [], []
    for quarter in generator.permutation(4)[: generator.integers(1, MOST + 1)]:
        radius = generator.uniform(5.0, 10.0)
        middle = (np.array(divmod(int(quarter), 2)) + 0.5) * SIDE / 2 + generator.uniform(-2.0, 2.0, 2)
        kind = int(generator.integers(len(KINDS)))
        inside = _inside(kind, rows - middle[0], columns - middle[1], radius)
        ground[inside] = generator.uniform(0, 255, 3)
        mask[inside] = 1 + kind
        seen = np.argwhere(inside)
        (top, left), (bottom, right) = seen.min(axis=0), seen.max(axis=0) + 1
        boxes.append((left, top, right, bottom))
        kinds.append(kind)
    noisy = ground + generator.normal(0, 12, ground.shape)
    picture = np.clip(noisy, 0, 255).round().astype(np.uint8)
    return Scene(picture, mask, np.array(boxes, np.float32), np.array(kinds, np.int64))


def _inside(kind: int, y: NDArray[np.float64], x: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
    match KINDS[kind]:
        case "disc":
            return np.hypot(x, y) <= radius
        case "square":
            return np.maximum(np.abs(x), np.abs(y)) <= 0.85 * radius
    # A point up, the sides falling by 2 to 1.
    return (y <= 0.8 * radius) & (2.0 * np.abs(x) <= y + 1.2 * radius)
