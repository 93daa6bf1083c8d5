"""How the first convolution is taken in blocks: the choices that a machine's own clock decides between."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Blocking:
    """One way to compute the pixels of a picture in blocks; every way answers the same integers.

    Attributes:
        windows: windows of the max-pool, or single columns where none follows, that each position makes.
        view: columns of the pixels that are taken as one, their channels side by side.
        cut: whether pixels that no output depends on are cut off, which costs a copy of the others.
    """

    windows: int = 1
    view: int = 1
    cut: bool = True

    def __str__(self) -> str:
        return f"{self.windows}x{self.view}{'' if self.cut else '-uncut'}"


BLOCKINGS = (
    Blocking(),
    Blocking(cut=False),
    Blocking(windows=1, view=2),
    Blocking(windows=2),
    Blocking(windows=2, view=4, cut=False),
    Blocking(windows=4, view=4, cut=False),
)
"""Those that were the fastest on some processor or network; the sizes of a picture leave some of them out."""
