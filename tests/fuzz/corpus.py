"""Files that once were dealt with badly, each by what was wrong with it: in `tests/data/fuzz`, or made here."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tests.fuzz.target import ROOT, Target

FILES = ROOT / "tests" / "data" / "fuzz"


@cache
def _tiff_of_89_megapixels() -> bytes:
    """Return a TIFF whose one strip of pixels, RGBA, unpacks to 358 MB."""
    side = 9459
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(bytes(4 * side)) for _ in range(side)) + packer.flush()
    tags = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 8), (262, 3, 2), (273, 4, 8), (277, 3, 4)]
    tags += [(278, 4, side), (279, 4, len(pixels)), (338, 3, 2)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = struct.pack("<4sI", b"II*\0", 8 + len(pixels))
    return head + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)


MADE: dict[tuple[str, str], Callable[[], bytes]] = {
    ("pictures", "pixels of 358 MB in 2 MB.tif"): _tiff_of_89_megapixels,
}
"""Those that are too long to keep, by the kind of file and what is wrong with it."""


def corpus_of(target: Target) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file that a target reads."""
    for path in sorted(Path(FILES / target.corpus).iterdir()):
        yield path.name, path.read_bytes()
    for (kind, name), make in MADE.items():
        if kind == target.corpus:
            yield name, make()
