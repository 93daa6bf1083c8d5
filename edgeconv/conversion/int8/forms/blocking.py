"""How a first convolution is taken in blocks: by a rule on its shape, or in ways that a machine's own clock decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from edgeconv.conversion.int8.forms.blocks import Grouping


@dataclass(frozen=True)
class ConvolutionShape:
    """What decides how a convolution may be taken in blocks.

    Attributes:
        outputs: its channels.
        stride: from column to column.
        window: rows and columns of the max-pool behind it, 1 and 1 where there is none.
    """

    outputs: int
    stride: int
    window: tuple[int, int]


class Choice(Protocol):
    """What chooses blocks."""

    @property
    def cut(self) -> bool:
        """Whether pixels that no output depends on are cut off, which costs a copy of the others."""

    @property
    def wide(self) -> bool:
        """Whether depthwise convolutions get channels of zeros, up to a multiple of 16."""

    def groupings(self, shape: ConvolutionShape) -> Iterator[Grouping]:
        """Yield what the positions of a convolution may make; the first that fits the picture is taken."""


@dataclass(frozen=True)
class Blocking:
    """One way to compute the pixels of a picture in blocks; every way answers the same integers.

    Attributes:
        windows: windows of the max-pool, or single columns where none follows, that each position makes.
        view: columns of the pixels that are taken as one, their channels side by side.
        cut: whether pixels that no output depends on are cut off, which costs a copy of the others.
        wide: whether depthwise convolutions get channels of zeros.
    """

    windows: int = 1
    view: int = 1
    cut: bool = True
    wide: bool = False

    def __str__(self) -> str:
        return f"{self.windows}x{self.view}{'' if self.cut else '-uncut'}"

    def groupings(self, shape: ConvolutionShape) -> Iterator[Grouping]:
        """Yield the one grouping; see `Choice`."""
        yield Grouping(*shape.window, self.windows, self.view)


@dataclass(frozen=True)
class BlockRule:
    """The blocks of the file that is made for every machine, by the shape of a convolution alone.

    Blocks are of four columns, since kernels multiply four bytes at once, and of two where four do not divide the
    width, which alone gain nothing. A position makes the fewest windows, of 1, 2 and 4, whose outputs fill a vector
    unit. Of all forms this was the fastest, or within 3 % of it, in eight networks on a processor with AVX-512 VNNI.
    Counted in instructions, under emulation, it takes 1 to 22 % less than no blocks do on Cortex-A72, Cortex-A76 and
    Haswell in four of five networks, and at most 3 % more in the fifth.
    """

    cut: bool = False
    wide: bool = False

    def __str__(self) -> str:
        return f"blocks{'-wide' if self.wide else ''}"

    def groupings(self, shape: ConvolutionShape) -> Iterator[Grouping]:
        """Yield groupings from the best to the least; see `Choice`."""
        for view in (4, 2):
            whole = [windows for windows in (1, 2, 4) if shape.stride * shape.window[1] * windows % view == 0]
            made = [Grouping(*shape.window, windows, view) for windows in whole]
            made = [grouping for grouping in made if view == 4 or grouping.outputs > 1]
            full = [grouping for grouping in made if grouping.outputs * shape.outputs >= ENOUGH_OUTPUTS]
            yield from full
            yield from (grouping for grouping in reversed(made) if grouping not in full)


RULE = BlockRule()

WIDE_RULE = BlockRule(wide=True)
"""Faster by 8 % where depthwise convolutions have 24 channels on a processor with AVX-512 VNNI, and by a tenth slower
where they have 8 on Cortex-A72: so a machine's own clock decides."""

ENOUGH_OUTPUTS = 64
"""Outputs of a position, from which on more of them gain nothing: four vectors of 16 sums."""


BLOCKINGS: tuple[Choice, ...] = (
    Blocking(),
    Blocking(cut=False),
    Blocking(windows=1, view=2),
    Blocking(windows=2),
    Blocking(windows=2, view=4, cut=False),
    Blocking(windows=4, view=4, cut=False),
    WIDE_RULE,
)
"""Those that were the fastest on some processor or network; the sizes of a picture leave some of them out."""
