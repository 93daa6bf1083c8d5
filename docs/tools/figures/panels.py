"""What all figures share: colours, and how a picture, a kernel and a frame are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

ORANGE, BLUE, GREY = "#e8590c", "#1971c2", "#868e96"
WIDTH = 8.0
"""Inches, of every figure."""


def new_figure(height: float) -> Figure:
    """Return an empty figure of the common width."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def show(axes: Axes, image: NDArray[Any], title: str = "", **options: Any) -> None:
    """Draw a picture or a map: grey levels from black, no ticks, pixels as squares."""
    axes.imshow(image, **{"cmap": "gray", "interpolation": "nearest", **options})
    axes.set(xticks=[], yticks=[], title=title)
    for spine in axes.spines.values():
        spine.set(color=GREY, linewidth=0.5)


def show_kernel(axes: Axes, kernel: NDArray[Any], title: str = "", limit: float | None = None) -> None:
    """Draw weights: negative ones blue, positive ones red, 0 white."""
    most = limit or float(np.abs(kernel).max())
    show(axes, kernel, title, cmap="RdBu_r", vmin=-most, vmax=most)


def write_values(axes: Axes, values: NDArray[Any], form: str, dark: NDArray[np.bool_], size: float = 8) -> None:
    """Write each value into its square, in white where the square is dark."""
    for (row, column), value in np.ndenumerate(values):
        color = "white" if dark[row, column] else "black"
        axes.text(column, row, form.format(value), ha="center", va="center", color=color, fontsize=size)


def frame(axes: Axes, top: float, left: float, height: float, width: float, color: str = ORANGE) -> None:
    """Draw a frame around pixels."""
    axes.add_patch(Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor=color, linewidth=1.8))
