"""The files of a model, an artifact's folder or a lone `.onnx`, and the contract that they carry."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from edgeconv.artifact import MANIFEST_FILE, SAMPLES_FILE, read_bytes, read_json, require_exported, status_of
from edgeconv.errors import ArtifactError, ChecksumError, ManifestError
from edgeconv.manifest import METADATA_KEY, VARIANT_KEY, Manifest
from edgeconv.runtime.session import Session
from edgeconv.session_options import check_timeout
from edgeconv.variants import REFERENCE

Opened = TypeVar("Opened")

MOST_READS = 100
"""Times that files are read again because others took their places; an export takes longer than an opening."""


TIMEOUT_S = 60.0
"""How long a call may take of a model that nobody here answers for, where the caller does not say otherwise."""

_ENDLESS = (b"Loop", b"Scan", b"SequenceMap", b"Search", b"Sampling")
"""What the names of ONNX' and ONNX Runtime's operators hold that go round as often as the model says."""


class ModelFiles(NamedTuple):
    """The files of a model, not yet open.

    Attributes:
        path: the artifact's folder, or the lone `.onnx` file.
        manifest: the contract.
        variants: the names of the variants that are there.
        read: gives the bytes of a variant, and raises ChecksumError where they are not those of the manifest.
        samples: the golden vectors, or None where there are none.
        timeout: seconds that a call may take, as the caller said; None where he did not.
    """

    path: Path
    manifest: Manifest
    variants: tuple[str, ...]
    read: Callable[[str], bytes]
    samples: Path | None
    timeout: float | None = None

    def timeout_of(self, name: str, model: bytes) -> float:
        """Return how many seconds a call of a variant may take: as many as it needs, inf, where it is an artifact's.

        A folder whose manifest names the file by its SHA-256 is taken for an export of the user's own, unless there is
        a loop in the file. A lone file may be anybody's.

        Args:
            name: of the variant.
            model: what `read` gave.
        """
        if self.timeout is not None:
            return self.timeout
        named = self.path.is_dir() and self.manifest.variants[name].sha256 is not None
        return math.inf if named and not any(word in model for word in _ENDLESS) else TIMEOUT_S


def read_files(path: Path, timeout: float | None = None) -> ModelFiles:
    """Read the contract of an artifact's folder or of a lone `.onnx` file, of any model.

    Args:
        path: the folder or the file.
        timeout: seconds that each call of the model may take; None: see `ModelFiles.timeout_of`.

    Raises:
        ArtifactError: the path is neither.
        ConfigError: `timeout` is not above 0.
    """
    check_timeout(timeout)
    return (_lone_file(path) if path.is_file() else _folder(path))._replace(timeout=timeout)


def read_again(path: Path, read: Callable[[], Opened]) -> Opened:
    """Do what reads the manifest and the files of a model, and again where an export replaced them in between.

    Args:
        path: the artifact's folder, or a lone file.
        read: reads them, and raises ArtifactError where a file is not the one that the manifest names.
    """
    for _ in range(MOST_READS):
        before = _identity(path)
        try:
            opened = read()
        except ArtifactError:
            if _identity(path) == before:
                raise
        else:
            if _identity(path) == before:
                return opened
    return read()


def _identity(path: Path) -> tuple[int, int] | None:
    """Tell the manifest of a folder from the ones before and after it."""
    status = status_of(path / MANIFEST_FILE)
    return status and (status.st_ino, status.st_mtime_ns)


def _folder(path: Path) -> ModelFiles:
    if not path.is_dir():
        raise ArtifactError(
            f"`{path}` must be an artifact's folder or an `.onnx` file. Received: no such path. "
            "Make one with `edgeconv export`."
        )
    manifest = Manifest.from_dict(read_json(path / MANIFEST_FILE), str(path / MANIFEST_FILE))

    def read(name: str) -> bytes:
        variant = manifest.variants[name]
        try:
            data = read_bytes(path / variant.file)
        except OSError as error:
            raise ArtifactError(
                f"`{path / variant.file}` is required. Received: {error.strerror}. Export the model again."
            ) from error
        digest = hashlib.sha256(data).hexdigest()
        if variant.sha256 is not None and digest != variant.sha256:
            raise ChecksumError(
                f"`{path / variant.file}` must have the SHA-256 {variant.sha256[:12]}... of its manifest. "
                f"Received: {digest[:12]}.... Export the model again."
            )
        return data

    samples = path / SAMPLES_FILE
    return ModelFiles(path, manifest, tuple(manifest.variants), read, samples if status_of(samples) else None)


def _lone_file(path: Path) -> ModelFiles:
    from edgeconv.runtime.metadata import read_metadata

    require_exported(path)
    data = read_bytes(path)
    # What is no ONNX file is opened, for ONNX Runtime to say what is wrong with it; its own format has metadata too.
    metadata = read_metadata(data) or Session(data, timeout=TIMEOUT_S).metadata
    if METADATA_KEY not in metadata:
        raise ManifestError(
            f"`{path}` must carry its contract under `{METADATA_KEY}`. Received: an ONNX file without it. "
            "Export the Keras model with `edgeconv export`."
        )
    manifest = Manifest.from_json(metadata[METADATA_KEY], str(path))
    only = metadata.get(VARIANT_KEY, REFERENCE)
    return ModelFiles(path, manifest, (only,), {only: data}.__getitem__, None)
