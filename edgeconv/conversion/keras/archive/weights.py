"""The HDF5 file of the weights: every dataset looked at, none read, no link followed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from edgeconv.conversion.keras.archive.members import CONFIG_LIMIT_BYTES
from edgeconv.conversion.keras.archive.sizes import check_memory
from edgeconv.conversion.keras.archive.wording import shown
from edgeconv.errors import ArtifactError, one_line
from edgeconv.formatting import format_size

EXPANSION_LIMIT = 1000
EXPANSION_FLOOR_BYTES = 256 << 20
"""A dataset that was never written, or of zeros, takes no place in the file, whatever its shape."""


def check_weights(path: Path, file: BinaryIO) -> None:
    """Check that all weights lie in the file itself and fit into memory.

    HDF5 can put links to other files, and data in other files, into a file: whoever loads such a model would read
    files of the user's into it (CVE-2026-1462).

    Args:
        path: what the errors call the file.
        file: its HDF5 part, seekable.

    Raises:
        ArtifactError: it is no HDF5 or damaged, or it reads other files.
        UnsupportedModelError: the weights are more than fit into memory.
    """
    import h5py

    total = 0
    try:
        with h5py.File(file, "r") as content:
            for name, dataset in _datasets(path, content):
                total += _size(path, name, dataset)
    except ArtifactError:
        raise
    except Exception as error:  # h5py raises OSError, RuntimeError, KeyError or TypeError for a damaged file.
        raise _damaged(path, error) from error
    check_memory(path, total)


def read_legacy_config(path: Path, file: BinaryIO) -> tuple[str | bytes, str]:
    """Return the JSON text of the model in a `.h5` file of the legacy format, and the version of Keras that wrote it.

    Raises:
        ArtifactError: it is damaged, or holds weights alone.
    """
    import h5py

    try:
        with h5py.File(file, "r") as content:
            text, version = content.attrs.get("model_config"), content.attrs.get("keras_version", "")
    except Exception as error:
        raise _damaged(path, error) from error
    if not isinstance(text, str | bytes) or len(text) > CONFIG_LIMIT_BYTES:
        received = "weights alone" if text is None else "a `model_config` that is no text, or too long"
        raise ArtifactError(
            f"`{path}` must hold a whole model. Received: {received}. Save it with `model.save('model.keras')`."
        )
    return text, version.decode("ascii", "replace") if isinstance(version, bytes) else str(version)


def _datasets(path: Path, content: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and the dataset of every hard link; links of other kinds are refused."""
    import h5py

    groups, seen = [("", content)], set()
    while groups:
        prefix, group = groups.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            continue
        seen.add(address)
        for key in group:
            name = f"{prefix}/{key}"
            link = group.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                target = f" to {shown(link.filename)}" if isinstance(link, h5py.ExternalLink) else ""
                raise _reads_others(path, f"a link{target} in place of the weights {shown(name)}")
            found = group[key]
            if isinstance(found, h5py.Group):
                groups.append((name, found))
            elif isinstance(found, h5py.Dataset):
                yield name, found


def _size(path: Path, name: str, dataset: Any) -> int:
    """Return the bytes that a dataset takes in memory."""
    if dataset.external:
        raise _reads_others(path, f"the weights {shown(name)} in the file {shown(dataset.external[0][0])}")
    if dataset.is_virtual:
        raise _reads_others(path, f"the weights {shown(name)}, put together from other files")
    size: int = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    if size > EXPANSION_FLOOR_BYTES and size > EXPANSION_LIMIT * stored:
        raise ArtifactError(
            f"`{path}` must hold the weights that it declares. Received: {shown(name)} of shape {dataset.shape}, "
            f"{format_size(size)}, of which {format_size(stored)} are there. Save the model again with `model.save`."
        )
    return size


def _reads_others(path: Path, received: str) -> ArtifactError:
    return ArtifactError(
        f"`{path}` must hold its weights itself. Received: {received}: loading it would read other files. Do not use "
        "this file; get the model from whoever made it."
    )


def _damaged(path: Path, error: Exception) -> ArtifactError:
    return ArtifactError(
        f"`{path}` must hold its weights as sound HDF5. Received: {type(error).__name__}: "
        f"{one_line(error)}. It may be cut off or damaged: copy it again, or save the model again."
    )
