"""The kernel of a convolution that makes several pixels at each of fewer positions, out of columns taken as blocks.

Processors multiply many numbers at once that lie side by side. A picture has one or three at each pixel; a kernel that
covers what several neighbouring outputs need, and makes all of them, reads longer runs, and writes wider ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Grouping:
    """The outputs that one position of the new convolution makes.

    Attributes:
        rows: of outputs, those of one window of the max-pool behind, or 1.
        columns: of outputs, those of one window of the max-pool behind, or 1.
        windows: how many such windows side by side.
        view: columns of the input that are taken as one, their channels side by side.
    """

    rows: int = 1
    columns: int = 1
    windows: int = 1
    view: int = 1

    @property
    def outputs(self) -> int:
        """How many pixels' outputs each position makes."""
        return self.rows * self.columns * self.windows


@dataclass(frozen=True)
class Blocked:
    """A convolution over blocks of columns, equal to another one in integers.

    Attributes:
        kernel: (windows x rows x columns x outputs, view x channels, height, width in blocks).
        strides: of rows, and of blocks of columns.
        pads: top, left, bottom, right; of rows, and of blocks.
        positions: rows and columns of positions.
    """

    kernel: NDArray[Any]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    positions: tuple[int, int]


def blocked(
    kernel: NDArray[Any],
    zero: int,
    size: tuple[int, int],
    strides: tuple[int, int],
    pads: tuple[int, int, int, int],
    grouping: Grouping,
    columns_read: int | None = None,
) -> Blocked | None:
    """Return a convolution that makes the outputs of another in groups, or None where the groups do not fit.

    The new kernel is the old one at each place of the group, and zero elsewhere: products with zero add nothing, so
    that all sums are the same integers. Positions where a whole window does not fit are left out, as a pool does.

    Args:
        kernel: (outputs, channels, height, width).
        zero: the integer that stands for 0 in the kernel.
        size: height and width of the input.
        strides: of the convolution, rows and columns.
        pads: of the convolution: top, left, bottom, right.
        grouping: what each position shall make.
        columns_read: how many columns of windows are read; None for all. What is left over is not made.
    """
    outputs, channels, height, width = kernel.shape
    top, left, bottom, right = pads
    rows = (size[0] + top + bottom - height) // strides[0] + 1
    columns = (size[1] + left + right - width) // strides[1] + 1
    pooled, windows = rows // grouping.rows, columns // grouping.columns
    read = windows if columns_read is None else columns_read
    windows -= windows % grouping.windows
    step = strides[1] * grouping.columns * grouping.windows
    if pooled < 1 or windows < max(read, 1) or step % grouping.view or size[1] % grouping.view:
        return None
    grown = np.full(
        (
            grouping.windows, grouping.rows, grouping.columns, outputs, channels,
            height + strides[0] * (grouping.rows - 1),
            width + strides[1] * (grouping.columns * grouping.windows - 1),
        ),
        zero,
        kernel.dtype,
    )  # fmt: skip
    for window, row, column in np.ndindex(*grown.shape[:3]):
        x, y = strides[1] * (window * grouping.columns + column), strides[0] * row
        grown[window, row, column, :, :, y : y + height, x : x + width] = kernel
    taps = grown.reshape(-1, *grown.shape[4:])
    positions = pooled, windows // grouping.windows
    view, blocks_left = grouping.view, -(-left // grouping.view)
    before = blocks_left * view - left
    width_in_blocks = -(-(before + taps.shape[3]) // view)
    after = width_in_blocks * view - before - taps.shape[3]
    taps = np.pad(taps, ((0, 0), (0, 0), (0, 0), (before, after)), constant_values=zero)
    taps = taps.reshape(*taps.shape[:3], width_in_blocks, view).transpose(0, 4, 1, 2, 3)
    taps = np.ascontiguousarray(taps.reshape(len(taps), view * channels, taps.shape[3], width_in_blocks))
    stride = step // view
    needed = (positions[1] - 1) * stride + width_in_blocks - size[1] // view - blocks_left
    return Blocked(
        taps,
        (strides[0] * grouping.rows, stride),
        (top, blocks_left, bottom, max(0, needed)),
        positions,
    )
