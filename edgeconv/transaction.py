"""Several files that appear at once: whoever is killed leaves all of the old ones or all of the new.

The files are made in a hidden folder beside their places. When they are complete and synced, that folder takes the name
`.commit`: this one rename is the switch. From then on a file in `.commit` counts before the one in its place, see
`edgeconv.artifact.committed`. Then each file is moved to its place. What a killed process did not move is complete for
readers, and the next transaction moves it first.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeconv.artifact import COMMIT, MANIFEST_FILE, keep_mode, new_mode, sync
from edgeconv.errors import ConfigError

ABANDONED_S = 24 * 60 * 60
"""Age from which a scratch folder belongs to nobody where the system cannot tell."""

PAUSES_S = (0.01, 0.05, 0.2, 1.0) if os.name == "nt" else ()
"""Windows moves nothing onto a file that somebody reads; a reader is done in milliseconds."""


@contextmanager
def transaction(folder: Path) -> Iterator[Path]:
    """Write several files of a folder so that all appear at once, or none; other writers wait.

    Args:
        folder: is made where it is absent.

    Yields:
        A hidden folder to write the files into, under their names. When the block ends well they appear in `folder`,
        and an empty file removes the one of its name; when it raises, `folder` keeps what it had.

    Example:
        >>> with transaction(Path("exported/mnist")) as scratch:  # doctest: +SKIP
        ...     (scratch / "model.onnx").write_bytes(model)
        ...     (scratch / "manifest.json").write_text(manifest)
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder) as alone:
        _complete(folder)
        with _scratch(folder, ".export-", alone) as scratch:
            yield scratch
            for path in scratch.iterdir():
                place = folder / path.name
                if place.is_dir():
                    raise IsADirectoryError(errno.EISDIR, "A folder is where a file is to be written", str(place))
                sync(path)
                keep_mode(path, place)
            sync(scratch)
            scratch.rename(folder / COMMIT)
            sync(folder)
            _complete(folder)


def require_writable(folder: Path) -> None:
    """Check that a folder can be made or written into, before the work whose result goes there.

    Raises:
        ConfigError: it cannot.
    """
    place = next(place for place in (folder, *folder.parents) if os.path.lexists(place) or place == Path())
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return
    received = "a folder that may not be written to" if place.is_dir() else "no folder"
    raise ConfigError(
        f"`{folder}` must be a folder that can be made or written to. Received: `{place}`, which is {received}. "
        "Name another."
    )


def complete_commit(folder: Path) -> None:
    """Move to their places what a killed process has committed and not moved; without the right to, leave it there."""
    if (folder / COMMIT).is_dir() and os.access(folder, os.W_OK):
        with _locked(folder):
            _complete(folder)


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """Write a folder that appears whole, or not at all; other writers beside it wait.

    Args:
        place: where it appears: absent, or an empty folder.

    Yields:
        A hidden folder beside it to fill.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with _locked(place.parent) as alone, _scratch(place.parent, ".bundle-", alone) as scratch:
        yield scratch
        for path in scratch.rglob("*"):
            sync(path)
        sync(scratch)
        if place.is_dir():
            place.rmdir()
        scratch.rename(place)
        sync(place.parent)


@contextmanager
def _scratch(parent: Path, prefix: str, alone: bool) -> Iterator[Path]:
    """Make a hidden folder for the time of a block, and remove those that killed processes have left."""
    for path in parent.glob(f"{prefix}*"):
        if path.is_dir() and (alone or time.time() - path.stat().st_mtime > ABANDONED_S):
            shutil.rmtree(path, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    scratch.chmod(new_mode(0o777))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _complete(folder: Path) -> None:
    """Move what is committed to its place, the manifest, which vouches for the others, last."""
    commit = folder / COMMIT
    if not commit.is_dir():
        return
    for path in sorted(commit.iterdir(), key=lambda path: (path.name == MANIFEST_FILE, path.name)):
        if path.stat().st_size:
            _move(path, folder / path.name)
        else:
            (folder / path.name).unlink(missing_ok=True)
            path.unlink()
    sync(folder)
    commit.rmdir()


def _move(source: Path, place: Path) -> None:
    for pause in PAUSES_S:
        try:
            source.replace(place)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    source.replace(place)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Keep other writers out of a folder for the time of a block; yield whether the system can.

    It locks the folder itself, so that nothing is left of the lock when the process dies.
    """
    if sys.platform == "win32":
        yield False
        return
    import fcntl

    handle = None
    try:
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        alone = True
    except OSError:  # A folder that may not be listed, or one of a network file system without locks.
        alone = False
    try:
        yield alone
    finally:
        if handle is not None:
            os.close(handle)
