"""What is known of a Keras model before it is converted: its training record, its data, its labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeconv.artifact import EXPORTS, KERAS_FILE, MANIFEST_FILE, TRAINING_FILE, newest, read_json, sha256_of
from edgeconv.conversion.steps.training_record import TrainingRecord
from edgeconv.datasets import Dataset, DatasetSpec, open_dataset
from edgeconv.errors import ArtifactError, ConfigError, DatasetError
from edgeconv.progress import Progress
from edgeconv.reading import read
from edgeconv.transaction import complete_commit

SAVED_MODEL = "saved_model.pb"


@dataclass(frozen=True)
class Source:
    """A Keras file and what lies beside it.

    Attributes:
        path: the `.keras` or `.h5` file, or the folder of a SavedModel.
        sha256: of the file, or of the names and contents of the folder's files.
        training: the record of its training, or None where there is none, or it describes another file.
    """

    path: Path
    sha256: str
    training: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """The name that its artifact takes: of the folder for `model.keras` or a numbered SavedModel, else its own."""
        if self.path.name == KERAS_FILE:
            return self.path.resolve().parent.name
        whole = self.path.absolute()
        return whole.parent.name if whole.name.isdecimal() else whole.stem

    @property
    def size_bytes(self) -> int:
        """Of the file, or of the folder's files."""
        return sum(path.stat().st_size for path in _files(self.path))


def _files(path: Path) -> list[Path]:
    return sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]


def _digest(path: Path) -> str:
    if path.is_file():
        return sha256_of(path)
    parts = "".join(f"{part.relative_to(path).as_posix()} {sha256_of(part)}\n" for part in _files(path))
    return hashlib.sha256(parts.encode()).hexdigest()


def find_source(model: str | Path | None, progress: Progress) -> Source:
    """Find a Keras model: the given file, the `model.keras` of the given folder, or the newest below `exported/`.

    A folder with a `saved_model.pb` is a model itself.

    Raises:
        ArtifactError: there is none.
    """
    path = Path(model) if model is not None else newest(KERAS_FILE)
    if path is None:
        raise ArtifactError(
            "A Keras model is required. Received: no `model.keras` under `exported/`. Train one with `edgeconv train`, "
            "or name one."
        )
    complete_commit(path if path.is_dir() else path.parent)
    if path.is_dir() and not (path / SAVED_MODEL).is_file():
        path = _in_folder(path)
    if not path.is_file() and not path.is_dir():
        received = "a pipe or a device" if path.exists() else "no such file"
        raise ArtifactError(f"`{path}` must be a .keras file. Received: {received}. Make one with `edgeconv train`.")
    sha256 = _digest(path)
    return Source(path, sha256, record_of(path, progress, sha256))


def _in_folder(folder: Path) -> Path:
    """Return the `model.keras` of a folder, which need not be there."""
    versions = sorted(path.parent.name for path in folder.glob(f"*/{SAVED_MODEL}"))
    if versions and not (folder / KERAS_FILE).is_file():
        raise ArtifactError(
            f"`{folder}` must be a model. Received: a folder of SavedModels, {', '.join(versions)}. Name one, such as "
            f"`{folder / versions[-1]}`."
        )
    return folder / KERAS_FILE


def record_of(path: Path, progress: Progress, sha256: str | None = None) -> Mapping[str, Any] | None:
    """Return the training record of a Keras file, or None where there is none, or it describes another file.

    Args:
        path: the Keras file, or the folder of a SavedModel.
        progress: hears of a record that is not used.
        sha256: of the file, where it is known.

    Raises:
        ArtifactError: it is damaged.
    """
    record_path = path.parent / TRAINING_FILE
    if path.name != KERAS_FILE or not record_path.is_file():
        return None
    record = read_json(record_path)
    model = record.get("model")
    if path.is_file() and (not isinstance(model, Mapping) or model.get("sha256") != (sha256 or sha256_of(path))):
        progress.say(f"`{record_path}` describes another model than `{path}`, and is not used.")
        return None
    read(TrainingRecord, record, str(record_path))
    return record


def own_folder(source: Source) -> Path:
    """Return the folder that a model's artifact takes: the one it lies in if that is an artifact's, else a new one."""
    parent = source.path.parent
    at_home = source.path.name == KERAS_FILE and (
        parent.resolve().parent.name == EXPORTS.name
        or any((parent / name).is_file() for name in (TRAINING_FILE, MANIFEST_FILE))
    )
    return parent if at_home else EXPORTS / source.name


def check_folder(folder: Path, source: Source) -> None:
    """Check that an export into a folder does not write over a model that was trained there.

    Raises:
        ConfigError: it would.
    """
    there = folder / KERAS_FILE
    if not (folder / TRAINING_FILE).is_file() or not there.is_file() or there.samefile(source.path):
        return
    if sha256_of(there) != source.sha256:
        raise ConfigError(
            f"`{folder}` must be empty or belong to `{source.path}`. Received: it holds another trained model. "
            "Choose another folder with `--name` or `--out`."
        )


def find_data(source: Source, dataset: str | DatasetSpec | None, progress: Progress) -> Dataset | None:
    """Open the data that a model is judged on: the given set, else the one it was trained on, else None.

    Raises:
        DatasetError: the set is absent or damaged, or is not the one that the record names.
    """
    if dataset is not None:
        return open_dataset(DatasetSpec(dataset) if isinstance(dataset, str) else dataset, progress=progress)
    if source.training is None:
        return None
    record = source.training["dataset"]
    spec = DatasetSpec.from_dict(record["spec"])
    try:
        data = open_dataset(spec, progress=progress)
    except DatasetError:
        if spec.data_dir is None:
            raise
        # The folder of the training may have moved, or may be on another machine: the fingerprint decides.
        data = open_dataset(replace(spec, data_dir=None), progress=progress)
    if data.sha256 != record["sha256"]:
        raise DatasetError(
            f"`{source.path}` was trained on {record['name']} with the fingerprint {record['sha256'][:12]}.... "
            f"Received: {data.source} with {data.sha256[:12]}.... Name the right data with `--dataset`."
        )
    return data
