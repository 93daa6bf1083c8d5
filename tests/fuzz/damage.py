"""Bytes with damage: strategies of hypothesis, which also finds the smallest damage that does the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

LONGEST_RUN = 64
"""Bytes that one damage inserts, removes or repeats, at most."""

_EDGES = [0, 1, 2**7 - 1, 2**7, 2**8 - 1, 2**15 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]
"""Sizes, counts and offsets at which arithmetic overflows or changes its sign."""


def damaged(contents: Sequence[bytes]) -> SearchStrategy[bytes]:
    """Return one of these files, with up to four damages."""
    return st.sampled_from(contents).flatmap(_damaged)


@st.composite
def _damaged(draw: DrawFn, content: bytes) -> bytes:
    for damage in draw(st.lists(st.sampled_from(_DAMAGES), min_size=1, max_size=4)):
        place = draw(st.integers(0, len(content)))
        content = damage(draw, content, place)
    return content


def _overwrite(draw: DrawFn, content: bytes, place: int) -> bytes:
    new = draw(st.binary(min_size=1, max_size=8))
    return content[:place] + new + content[place + len(new) :]


def _number(draw: DrawFn, content: bytes, place: int) -> bytes:
    size = draw(st.sampled_from((1, 2, 4, 8)))
    number = draw(st.sampled_from(_EDGES)) % 256**size
    new = number.to_bytes(size, draw(st.sampled_from(("little", "big"))))
    return content[:place] + new + content[place + size :]


def _insert(draw: DrawFn, content: bytes, place: int) -> bytes:
    return content[:place] + draw(st.binary(min_size=1, max_size=LONGEST_RUN)) + content[place:]


def _remove(draw: DrawFn, content: bytes, place: int) -> bytes:
    return content[:place] + content[place + draw(st.integers(1, LONGEST_RUN)) :]


def _repeat(draw: DrawFn, content: bytes, place: int) -> bytes:
    return content[:place] + content[max(0, place - draw(st.integers(1, LONGEST_RUN))) :]


def _cut(draw: DrawFn, content: bytes, place: int) -> bytes:
    return content[:place]


_DAMAGES: tuple[Callable[[DrawFn, bytes, int], bytes], ...] = (_overwrite, _number, _insert, _remove, _repeat, _cut)
