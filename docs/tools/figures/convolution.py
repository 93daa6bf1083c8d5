"""Figures of the convolutions: one step of a kernel, all kernels with their maps, and the receptive fields."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from figures.panels import BLUE, ORANGE, frame, new_figure, show, show_kernel, write_values
from figures.reference import Reference

TOP, LEFT = 6, 12
"""Where the window of the figure lies: across the upper edge of the seven's bar."""

SIDE = 3
FIELDS = {"conv1": 3, "pool1": 4, "conv2": 8, "pool2": 10, "conv3": 18}
"""Side, in pixels of the image, of what one value of a layer is computed from. A 3x3 convolution adds 2 steps, a 2x2
pooling 1; a step is 1 pixel at first, and twice as wide after each pooling."""


def draw_convolution(reference: Reference) -> Figure:
    """One kernel at one place: pixels, weights, their products, and the value in the feature map."""
    number = kernel_number(reference)
    kernel = reference.weights["conv1/Conv:kernel"][number, 0] * 255
    bias = float(reference.weights["conv1/Conv:bias"][number])
    window = reference.image[TOP : TOP + SIDE, LEFT : LEFT + SIDE] / 255
    feature_map = reference.activations["conv1/Relu:0"][number]
    products = window * kernel
    figure = new_figure(2.6)
    image, pixels, weights, result = figure.subplots(1, 4, width_ratios=(1.35, 1, 1, 1.35))
    show(image, reference.image, "image, 28x28")
    frame(image, TOP, LEFT, SIDE, SIDE)
    show(pixels, window, "pixels, 0 to 1", vmin=0, vmax=1)
    write_values(pixels, window, "{:.2f}", window < 0.5)
    show_kernel(weights, kernel, f"x kernel {number}")
    write_values(weights, kernel, "{:+.2f}", np.abs(kernel) > 0.6 * np.abs(kernel).max())
    weights.set_xlabel(f"sum {products.sum():+.3f}, bias {bias:+.3f}\n= {products.sum() + bias:+.3f}, then ReLU")
    show(result, feature_map, "feature map, 26x26")
    frame(result, TOP, LEFT, 1, 1)
    return figure


def draw_feature_maps(reference: Reference) -> Figure:
    """The 32 kernels of the first convolution, each above its map of the seven."""
    kernels = reference.weights["conv1/Conv:kernel"][:, 0]
    maps = reference.activations["conv1/Relu:0"]
    figure = new_figure(5.0)
    axes = figure.subplots(8, 8, height_ratios=(0.55, 1) * 4)
    for number, (kernel, feature_map) in enumerate(zip(kernels, maps, strict=True)):
        row, column = divmod(number, 8)
        show_kernel(axes[2 * row, column], kernel)
        show(axes[2 * row + 1, column], feature_map, vmin=0, vmax=maps.max())
    return figure


def draw_receptive_fields(reference: Reference) -> Figure:
    """What one value in the middle of each layer is computed from."""
    figure = new_figure(1.9)
    for axes, (layer, side) in zip(figure.subplots(1, len(FIELDS)), FIELDS.items(), strict=True):
        begin = (reference.image.shape[0] - side) // 2
        show(axes, reference.image, f"{layer}: {side}x{side}")
        frame(axes, begin, begin, side, side, BLUE if layer.startswith("pool") else ORANGE)
    return figure


def kernel_number(reference: Reference) -> int:
    """Return the kernel that answers most strongly at the window of the figure."""
    return int(reference.activations["conv1/Relu:0"][:, TOP, LEFT].argmax())
