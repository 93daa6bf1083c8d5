"""The figure of the preparation: from the photograph to what the network sees."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from edgeconv.pictures import digits
from edgeconv.pictures.ink import bounds, is_bright
from figures.panels import frame, new_figure, show
from figures.reference import Reference


def draw_preparation(reference: Reference) -> Figure:
    """The steps of `edgeconv.pictures.digits`, in its order."""
    photograph = reference.photograph
    small, steps = digits._search_copy(photograph, None)
    dark = 255 - small if is_bright(small) else small
    strength = digits._find(dark)
    top, bottom, left, right = bounds(strength)
    begin, end = (steps * np.array(corner, np.float32) for corner in ((top, left), (bottom, right)))
    canvas, step = digits._cut(photograph, begin, end, None)
    ink = digits._ink(canvas, step)
    image = digits._draw(ink, 28, 28, 20)
    if not np.array_equal(image[..., 0], reference.image):
        raise ValueError("the steps of this figure must be those of `center_digit`: follow its code again")
    figure = new_figure(1.5)
    axes = figure.subplots(1, 6, width_ratios=(4 / 3, 4 / 3, 4 / 3, 1, 1, 1))
    height, width = photograph.shape[:2]
    show(axes[0], photograph, f"1 photo, {width}x{height}")
    show(axes[1], dark, "2 grey, ink dark", vmin=0, vmax=255)
    show(axes[2], strength, "3 ink found")
    frame(axes[2], top, left, bottom - top, right - left)
    show(axes[3], canvas, "4 cut out", vmin=0, vmax=255)
    show(axes[4], ink, "5 full contrast")
    show(axes[5], image, "6 28x28")
    frame(axes[5], *_box(image[..., 0]))
    return figure


def _box(image: np.ndarray) -> tuple[float, float, float, float]:
    """Return top, left, height and width of the ink."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    return rows[0], columns[0], rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
