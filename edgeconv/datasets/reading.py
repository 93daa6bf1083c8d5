"""What a reader found in its source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeconv.datasets.dataset import Split


@dataclass(frozen=True)
class Reading:
    """Arrays from a source, each checked by itself.

    Attributes:
        source: what was read, for people.
        train: the training images, or all images where `test` is None.
        test: the test images, or None where the source has no such part.
        names: of the classes, or None where the source has none.
        test_files: the pictures of the test images, in order, where the source is files.
    """

    source: str
    train: Split
    test: Split | None = None
    names: tuple[str, ...] | None = None
    test_files: tuple[Path, ...] = ()
