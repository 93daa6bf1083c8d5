"""A Keras file looked through before Keras opens it: nothing in it is loaded, run or unpacked."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeconv.conversion.keras.archive.architecture import check_architecture
from edgeconv.conversion.keras.archive.members import CONFIG, METADATA, WEIGHTS, check_members, open_seekable
from edgeconv.conversion.keras.archive.quantize_wrappers import without_wrappers
from edgeconv.conversion.keras.archive.weights import check_weights, read_legacy_config
from edgeconv.errors import ArtifactError

__all__ = ["SavedConfig", "check_archive"]

LEGACY_SUFFIXES = {".h5", ".hdf5"}

DAMAGE = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, zlib.error, struct.error)
"""What reading a damaged archive raises."""


@dataclass(frozen=True)
class SavedConfig:
    """What a Keras file says of its model.

    Attributes:
        text: the config, JSON.
        keras_version: of the Keras that wrote it, empty where the file doesn't say.
        wrapped: the layers that quantization-aware training had wrapped; see `without_wrappers`.
    """

    text: str | bytes
    keras_version: str
    wrapped: Mapping[str, bool] = field(default_factory=dict)

    @property
    def by_keras2(self) -> bool:
        """Whether Keras 2 wrote it, or one before: files that don't say are old."""
        return not self.keras_version or self.keras_version.split(".")[0] in {"0", "1", "2"}


def check_archive(path: Path, *, custom_objects: Collection[str] = (), unsafe: bool = False) -> SavedConfig:
    """Check that a Keras file is whole, asks for no more than this machine has, and brings no code.

    Keras' own safe mode comes after it and is not relied upon; neither is a sandbox, so both belong into a process
    of their own with limits.

    Args:
        path: a `.keras` file, or a `.h5` of the legacy format.
        custom_objects: names of classes and functions that are not Keras' and that the user brings, without module.
        unsafe: let pass what runs code or reads other files when it is loaded: Lambda layers, wrapped models.

    Returns:
        What the file says of its model.

    Raises:
        ArtifactError: the file is damaged, is no Keras model, or is made to harm: a zip bomb, a name that leaves the
            archive, a link to another file.
        UnsupportedModelError: the model has a layer that runs code of its own, one that nobody here knows, or one
            that does not fit into memory.

    Example:
        >>> check_archive(Path("model.keras"), custom_objects=["Swish2"])  # doctest: +SKIP
    """
    if path.suffix in LEGACY_SUFFIXES:
        with path.open("rb") as file:
            check_weights(path, file)
            text, version = read_legacy_config(path, file)
        plain, wrapped = without_wrappers(text)
        saved = SavedConfig(plain, version, wrapped)
        _check_architecture(path, saved, custom_objects, unsafe)
        return saved
    if path.suffix != ".keras":
        raise ArtifactError(
            f"`{path}` must be a .keras or .h5 file. Received: the suffix {path.suffix!r}. Save it with "
            "`model.save('model.keras')`."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            check_members(path, archive)
            saved = SavedConfig(archive.read(CONFIG), _version_in(archive.read(METADATA)) or "3")
            _check_architecture(path, saved, custom_objects, unsafe)
            with open_seekable(path, archive, archive.getinfo(WEIGHTS)) as file:
                check_weights(path, file)
            return saved
    except DAMAGE as error:
        raise ArtifactError(
            f"`{path}` must be a whole .keras file, which is a zip archive. Received: {error}. It may be cut off or "
            "damaged: copy it again, or save the model again with `model.save`."
        ) from error


def _check_architecture(path: Path, saved: SavedConfig, custom_objects: Collection[str], unsafe: bool) -> None:
    check_architecture(path, saved.text, custom_objects=custom_objects, unsafe=unsafe, by_keras2=saved.by_keras2)


def _version_in(metadata: bytes) -> str:
    """Return the version of Keras that a `.keras` file names, or nothing."""
    try:
        return str(json.loads(metadata)["keras_version"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
