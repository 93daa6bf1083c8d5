"""The kernel of a convolution that makes several pixels at each of fewer positions, out of columns taken as blocks.

Processors multiply many numbers at once that lie side by side. A picture has one or three at each pixel; a kernel that
covers what several neighbouring outputs need, and makes all of them, reads longer runs, and writes wider ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

OUTPUT_COST = 128
"""What an output takes beside the products in it, counted in products: to copy its inputs, to bring it to 8 bits, to
pool it, and to multiply it in the next layer. Measured on thirteen networks on a processor with AVX-512 VNNI."""


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
        kernel: (rows x columns x windows x outputs, view x channels, height, width in blocks).
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
    part_read: tuple[int, int] | None = None,
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
        part_read: how many rows and columns of windows are read; None for all. What is left over is not made.
    """
    outputs, channels, height, width = kernel.shape
    top, left, bottom, right = pads
    rows = (size[0] + top + bottom - height) // strides[0] + 1
    columns = (size[1] + left + right - width) // strides[1] + 1
    pooled, windows = rows // grouping.rows, columns // grouping.columns
    rows_read, columns_read = part_read or (pooled, windows)
    windows -= windows % grouping.windows
    down, step = strides[0] * grouping.rows, strides[1] * grouping.columns * grouping.windows
    if pooled < 1 or windows < max(columns_read, 1) or step % grouping.view or size[1] % grouping.view:
        return None
    tall = height + strides[0] * (grouping.rows - 1)
    wide = width + strides[1] * (grouping.columns * grouping.windows - 1)
    if rows_read < pooled:
        taller, border = _kept_from(rows_read, down, tall, size[0] + top)
        if rows_read * (taller * wide * channels + OUTPUT_COST) < pooled * (tall * wide * channels + OUTPUT_COST):
            pooled, tall, bottom = rows_read, taller, border
    grown = np.full(
        (grouping.rows, grouping.columns, grouping.windows, outputs, channels, tall, wide), zero, kernel.dtype
    )
    for row, column, window in np.ndindex(*grown.shape[:3]):
        x, y = strides[1] * (window * grouping.columns + column), strides[0] * row
        grown[row, column, window, :, :, y : y + height, x : x + width] = kernel
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
        (down, stride),
        (top, blocks_left, bottom, max(0, needed)),
        positions,
    )


def _kept_from(rows_read: int, stride: int, tall: int, size: int) -> tuple[int, int]:
    """Return the height and the border below with which a kernel makes these rows and no more.

    The border goes as far as it can; behind that, rows of zeros make the kernel too tall for the last position.

    Args:
        rows_read: of positions.
        stride: from row to row.
        tall: the kernel's height.
        size: rows of the input and its border above.
    """
    border = max(0, (rows_read - 1) * stride + tall - size)
    return max(tall, size + border - rows_read * stride + 1), border
