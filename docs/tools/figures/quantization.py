"""Figures of int8: what rounding makes of one kernel, and why each channel has a scale of its own."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from figures.convolution import kernel_number
from figures.panels import BLUE, GREY, ORANGE, new_figure, show_kernel, write_values
from figures.reference import Reference

LEVELS = 127
"""Steps on each side of 0: symmetric int8, without -128."""


def draw_steps(reference: Reference) -> Figure:
    """One kernel in float, as int8, back in float, and the error in steps."""
    number = kernel_number(reference)
    kernel = reference.weights["conv1/Conv:kernel"][number, 0]
    scale = float(reference.int8["s2"][number])
    # Four columns are one there; the first output of a position is the kernel at its left upper corner.
    blocks = reference.int8["conv1/Conv:kernel"][number]
    codes = blocks.transpose(1, 2, 0).reshape(blocks.shape[1], -1)[: kernel.shape[0], : kernel.shape[1]]
    error = kernel / scale - codes
    figure = new_figure(2.3)
    for axes, values, title, form, limit in zip(
        figure.subplots(1, 4),
        (kernel * 255, codes, codes * scale * 255, error),
        (f"kernel {number}, float32", "int8", f"int8 x {scale * 255:.5f}", "error, in steps"),
        ("{:+.4f}", "{:+d}", "{:+.4f}", "{:+.2f}"),
        (None, LEVELS, None, 0.5),
        strict=True,
    ):
        show_kernel(axes, values, title, limit)
        write_values(axes, values, form, np.abs(values) > 0.6 * (limit or np.abs(values).max()), size=7.5)
    return figure


def draw_scales(reference: Reference) -> Figure:
    """The largest weight of each channel of conv2: with one scale, channels of small weights get few steps."""
    kernels = reference.weights["conv2/Conv:kernel"]
    largest = np.sort(np.abs(kernels).max(axis=(1, 2, 3)))[::-1]
    steps = LEVELS * largest / largest[0]
    figure = new_figure(2.4)
    axes = figure.subplots()
    axes.bar(range(len(largest)), np.full(len(largest), LEVELS), color=BLUE, alpha=0.25, label="a scale per channel")
    axes.bar(range(len(largest)), steps, color=ORANGE, label="one scale for the tensor")
    axes.set(
        xlabel=f"the {len(largest)} channels of conv2, by their largest weight",
        ylabel="steps for the\nlargest weight",
        yticks=[0, 32, 64, 96, LEVELS],
        xlim=(-0.6, len(largest) - 0.4),
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.legend(loc="lower left", framealpha=1)
    return figure
