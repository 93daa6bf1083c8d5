"""Figures of max-pooling: of four values the largest stays, and a shift by one pixel changes less."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from figures.convolution import kernel_number
from figures.panels import BLUE, GREY, ORANGE, frame, new_figure, show, write_values
from figures.reference import Reference

TOP, LEFT, SIDE = 4, 16, 6


def draw_pooling(reference: Reference) -> Figure:
    """A feature map, a corner of it in numbers, and both after pooling."""
    number = kernel_number(reference)
    before = reference.activations["conv1/Relu:0"][number]
    after = reference.activations["pool1/MaxPool:0"][number]
    corner = before[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
    pooled = after[TOP // 2 : (TOP + SIDE) // 2, LEFT // 2 : (LEFT + SIDE) // 2]
    most = float(before.max())
    figure = new_figure(2.4)
    whole, part, kept, small = figure.subplots(1, 4)
    show(whole, before, "before: 26x26", vmin=0, vmax=most)
    frame(whole, TOP, LEFT, SIDE, SIDE)
    show(part, corner, "four values ...", vmin=0, vmax=most)
    write_values(part, corner, "{:.2f}", corner < most / 2, size=6.5)
    for row, column in np.ndindex(pooled.shape):
        frame(part, 2 * row, 2 * column, 2, 2)
    show(kept, pooled, "... the largest stays", vmin=0, vmax=most)
    write_values(kept, pooled, "{:.2f}", pooled < most / 2)
    show(small, after, "after: 13x13", vmin=0, vmax=most)
    frame(small, TOP // 2, LEFT // 2, SIDE // 2, SIDE // 2)
    return figure


def draw_shift(reference: Reference) -> Figure:
    """How much each layer's values change when the image is shifted by one pixel."""
    changes = {
        name.partition("/")[0]: float(np.abs(reference.shifted[name] - values).sum() / np.abs(values).sum())
        for name, values in reference.activations.items()
    }
    figure = new_figure(2.0)
    axes = figure.subplots()
    bars = axes.bar(
        list(changes),
        [100 * change for change in changes.values()],
        color=[BLUE if layer.startswith("pool") else ORANGE for layer in changes],
        width=0.6,
    )
    axes.bar_label(bars, fmt="%.0f %%", padding=2)
    axes.set(ylabel="change of the values", yticks=[], ylim=(0, 75))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines[["bottom"]].set_color(GREY)
    return figure
