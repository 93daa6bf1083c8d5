"""A target: what reads files of a kind, and such files with damage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis.strategies import SearchStrategy

from edgeconv.errors import EdgeconvError
from tests.fuzz.judging import Look, judge

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "data" / "tiny"
SEVEN = ROOT / "tests" / "data" / "seven.png"


@dataclass(frozen=True)
class Reader:
    """What reads the files of a target, ready to.

    Attributes:
        look: reads the file at a path.
        errors: that are ours.
        process: gives the id of the process that reads, where that is another one; None for this one.
        close: lets go of it.
    """

    look: Look
    errors: tuple[type[Exception], ...] = (EdgeconvError,)
    process: Callable[[], int | None] = lambda: None
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Target:
    """What reads files of a kind.

    Attributes:
        name: of the target.
        file: name of the file that is read.
        examples: contents of such a file, most of them damaged.
        open: makes the reader, which may write into a folder.
        corpus: folder of `tests/data/fuzz` whose files it reads too.
        needs: says why it cannot run here, or None where it can.
        apart: whether tests of its own are where its tools are, in `tests/bundling`.
    """

    name: str
    file: str
    examples: SearchStrategy[bytes]
    open: Callable[[Path], Reader]
    corpus: str
    needs: Callable[[], str | None] = lambda: None
    apart: bool = False


def judge_content(reader: Reader, path: Path, content: bytes, seconds: float) -> bool:
    """Write a file and let it be read; see `judge`."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return judge(reader.look, path, errors=reader.errors, seconds=seconds, process=reader.process())
