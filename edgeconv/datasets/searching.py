"""Find a dataset that has a name: on disk, else by downloading it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeconv.datasets.catalogue import Known, Root, identify, roots
from edgeconv.datasets.idx import find_idx, read_idx_folder
from edgeconv.datasets.npz import read_npz
from edgeconv.datasets.reading import Reading
from edgeconv.errors import DatasetError, one_line
from edgeconv.progress import Progress

Download = Callable[[str], Path]
"""Fetches a dataset by its name and returns its `.npz` file or its folder of IDX files.

Raises DatasetError or OSError where it cannot, such as offline.
"""


@dataclass(frozen=True)
class Finding:
    """The end of a search.

    Attributes:
        reading: what was found, or None.
        data_dir: the folder that finds it again where the usual places may not; None where they do.
        tried: what was tried in vain, for people.
    """

    reading: Reading | None
    data_dir: str | None
    tried: str


def search(known: Known, data_dir: str | None, download: Download | None, progress: Progress) -> Finding:
    """Look for a dataset in `data_dir` alone, or in the usual places and then by downloading.

    What is found under the name but is another published dataset is passed over.

    Args:
        known: the dataset.
        data_dir: the only folder to look in, or None.
        download: fetches what is not on disk; None: nothing is downloaded.
        progress: hears if what was found is not the published set.

    Returns:
        What was found, or what was tried.

    Raises:
        DatasetError: a file that was found is damaged.
    """
    tried = []
    for root in roots(data_dir):
        tried.append(str(root.path))
        for path in _candidates(known, root, tried):
            reading = _read(path)
            identity = identify(reading.train)
            if identity is None and _passes(known, root, path):
                progress.say(f"{path} is not the published {known.title}: its labels differ. It is used as it is.")
            elif identity is not known:
                tried.append(f"{path} holds {identity.title if identity else f'something else than {known.title}'}")
                continue
            return Finding(reading, str(root.path.absolute()) if root.stated else None, "; ".join(tried))
    if data_dir is None and download is not None:
        try:
            path = download(known.name)
        except (DatasetError, OSError) as error:
            tried.append(f"download: {one_line(error)}")
        else:
            return Finding(_read(path), None, "")
    return Finding(None, None, "; ".join(tried))


def _candidates(known: Known, root: Root, tried: list[str]) -> Iterator[Path]:
    """Yield what is there under the names that the dataset may have."""
    try:
        for folder in (root.path, root.path / known.name):
            for stem in dict.fromkeys((known.name, known.name.replace("-", "_"))):
                if (folder / f"{stem}.npz").is_file():
                    yield folder / f"{stem}.npz"
            try:
                if find_idx(folder):
                    yield folder
            except DatasetError as error:  # incomplete: the trace of a download that was cut off
                if root.stated:
                    raise
                tried.append(str(error).rstrip("."))
    except OSError as error:
        tried.append(f"{root.path}: {error.strerror}")


def _read(path: Path) -> Reading:
    return read_idx_folder(path) if path.is_dir() else read_npz(path)


def _passes(known: Known, root: Root, path: Path) -> bool:
    """Tell whether an unknown set is what the user means by the name of a known one."""
    # The four names of IDX files are MNIST's own; every later set borrowed them, and must be called by its name.
    return root.only or known.name in {"mnist", path.stem.replace("_", "-")}
