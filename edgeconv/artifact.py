"""One model, one folder: the files of an artifact, how they are found, and how they are written.

Every write is atomic: a temporary sibling, fsync, `os.replace`. An interrupted write leaves the previous
files intact.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgeconv.errors import ArtifactError

KERAS_FILE = "model.keras"
MANIFEST_FILE = "manifest.json"
TRAINING_FILE = "training.json"
CURVES_FILE = "curves.png"
PARITY_FILE = "parity.json"
FAILED_PARITY_FILE = "parity.failed.json"
SAMPLES_FILE = "samples.npz"
REPORT_FILE = "report.html"

EXPORTS = Path("exported")
"""Where artifacts live, below the working directory."""


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
        _keep_mode(sibling, path)
        _sync(sibling)
        sibling.replace(path)
    finally:
        sibling.unlink(missing_ok=True)
    if os.name == "posix":  # Windows cannot open a folder to sync it.
        _sync(path.parent)


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
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(f"`{path}` is required. Received: no such file. Make it with `edgeconv export`.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"`{path}` must be readable JSON. Received: {error}. Export the model again.") from error
    if not isinstance(value, dict):
        raise ArtifactError(f"`{path}` must hold a JSON object. Received: {type(value).__name__}. Export again.")
    return value


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def newest(file_name: str, root: Path | None = None) -> Path | None:
    """Return the folder below `root` (default: `exported/`) with the newest `file_name`, or None.

    Equal times are decided by the folder's name, so that a fresh clone gives the same answer everywhere.
    """
    found = [(path.stat().st_mtime_ns, path) for path in (root or EXPORTS).glob(f"*/{file_name}") if path.is_file()]
    return max(found)[1].parent if found else None


def _keep_mode(sibling: Path, path: Path) -> None:
    """Give the sibling the mode that a plain `open` would have given; `mkstemp` makes it private."""
    if path.exists():
        mode = path.stat().st_mode & 0o777
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    sibling.chmod(mode)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
