"""One model, one folder: the files of an artifact, how they are found, and how they are written.

Every write is atomic: a temporary sibling, fsync, `os.replace`; several files appear at once by
`edgeconv.transaction`. An interrupted write leaves the previous files intact.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, BinaryIO

from edgeconv.errors import ArtifactError

KERAS_FILE = "model.keras"
MANIFEST_FILE = "manifest.json"
TRAINING_FILE = "training.json"
CURVES_FILE = "curves.png"
PARITY_FILE = "parity.json"
FAILED_PARITY_FILE = "parity.failed.json"
SAMPLES_FILE = "samples.npz"
REPORT_FILE = "report.html"
CONTEXT_FILE = "model.int8.context.onnx"

KERAS_ENDINGS = (".keras", ".h5", ".hdf5")
"""What the names of models that are not exported yet end with, in lower case."""

EXPORTS = Path("exported")
"""Where artifacts live, below the working directory."""

MOST_BYTES = 2**31
"""Longest file of an artifact: protobuf, the format of ONNX files, allows no more."""

MOST_JSON_BYTES = 2**23
"""Longest JSON that is read, in bytes: as objects it can take thirty times as much memory."""

COMMIT = ".commit"
"""Folder inside an artifact's: its files count, and are about to move to their places; see `edgeconv.transaction`."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file whole or not at all.

    Args:
        path: the file to make or to replace; its folder is made where it is absent.

    Yields:
        A temporary sibling with the same suffix. When the block ends well it is synced and takes the name `path`;
        when the block raises it is removed, and what was at `path` stays.

    Example:
        >>> with replacing(Path("exported/mnist/training.json")) as sibling:  # doctest: +SKIP
        ...     sibling.write_text("{}")
    """
    import tempfile  # Here, since it is slow to import, and reading needs none of it.

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    sibling = Path(name)
    try:
        yield sibling
        sync(sibling)
        keep_mode(sibling, path)
        sibling.replace(path)
    finally:
        sibling.unlink(missing_ok=True)
    sync(path.parent)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write `value` as indented JSON, atomically; NaN is refused, since JSON has none."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as sibling:
        sibling.write_text(text, encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ArtifactError: the file is absent, or not a JSON object.
    """
    try:
        value = json.loads(read_bytes(path, MOST_JSON_BYTES))
    except FileNotFoundError:
        raise ArtifactError(f"`{path}` is required. Received: no such file. Make it with `edgeconv export`.") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArtifactError(f"`{path}` must be readable JSON. Received: {reason}. Export the model again.") from error
    if not isinstance(value, dict):
        raise ArtifactError(f"`{path}` must hold a JSON object. Received: {type(value).__name__}. Export again.")
    return value


def require_exported(path: Path) -> None:
    """Raise ArtifactError for a file of Keras, by its name: ONNX Runtime only says that its bytes do not parse."""
    if path.suffix.lower() in KERAS_ENDINGS:
        import shlex  # Here, since only this message needs it.

        raise ArtifactError(
            f"`{path}` must be an artifact's folder or an `.onnx` file. Received: a Keras model. "
            f"Convert it with `edgeconv export {shlex.quote(str(path))}`."
        )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def committed(path: Path) -> Path:
    """Return where a file of an artifact lies: in its place, or still among those that are about to move there."""
    coming = path.parent / COMMIT / path.name
    return coming if coming.exists() else path


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a file of an artifact, wherever it lies, and also while it moves; see `read_regular`."""
    try:
        return read_regular(path.parent / COMMIT / path.name, most)
    except (FileNotFoundError, NotADirectoryError):
        return read_regular(path, most)


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a file of at most so many bytes.

    Raises:
        OSError: it is absent, unreadable, too long, or no regular file.
    """
    with open_regular(path, most) as file:
        return file.read()


def open_regular(path: Path | str, most: int = MOST_BYTES) -> BinaryIO:
    """Open a file of at most so many bytes for reading; see `read_regular`."""
    require_regular(path)
    file = BufferedReader(FileIO(path))  # What `open` returns, in half of the time: folders have many small files.
    size = os.fstat(file.fileno()).st_size
    if size > most:
        file.close()
        raise OSError(errno.EFBIG, f"{size / 1e6:,.0f} MB, more than {most / 1e6:,.0f} MB", str(path))
    return file


def require_regular(path: Path | str) -> None:
    """Raise OSError for what is no file and no folder: a pipe or a device, whose reading may never end."""
    mode = os.stat(path).st_mode  # noqa: PTH116 - to make a path takes longer than to look at the file
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "a pipe or a device", str(path))


def status_of(path: Path) -> os.stat_result | None:
    """Return the status of a file of an artifact, wherever it lies; None where it is absent or being removed."""
    for place in (path.parent / COMMIT / path.name, path):
        try:
            status = place.stat()
        except OSError:
            continue
        return status if status.st_size else None
    return None


def newest(file_name: str, root: Path | None = None) -> Path | None:
    """Return the folder below `root` (default: `exported/`) with the newest `file_name`, or None.

    Equal times are decided by the folder's name, so that a fresh clone gives the same answer everywhere.
    """
    stated = ((status_of(folder / file_name), folder) for folder in (root or EXPORTS).glob("*"))
    found = [(status.st_mtime_ns, folder) for status, folder in stated if status and stat.S_ISREG(status.st_mode)]
    return max(found)[1] if found else None


def keep_mode(path: Path, place: Path) -> None:
    """Give a file the mode of what it will replace, or else that of a new file; `mkstemp` makes it private."""
    path.chmod(place.stat().st_mode & 0o777 if place.exists() else new_mode(0o666))


def new_mode(most: int) -> int:
    """Return the mode that the system gives to what a plain `open` or `mkdir` makes."""
    mask = os.umask(0)
    os.umask(mask)
    return most & ~mask


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folders, and syncs only what is open for writing.
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
