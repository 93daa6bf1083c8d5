"""A bundle's `manifest.json`: whose it is, and the SHA-256 of every file; written, and checked again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from edgeconv.artifact import MANIFEST_FILE, read_json, sha256_of
from edgeconv.errors import ArtifactError
from edgeconv.manifest import Manifest

if TYPE_CHECKING:
    from edgeconv.bundling.context import BundleContext
    from edgeconv.bundling.targets import BundleTarget

FORMAT = "edgeconv.bundle"

SCHEMA_VERSION = 1
"""Version of a bundle's manifest. Raise it when a reader of the present one would misread the new one."""


@dataclass(frozen=True)
class FileCheck:
    """One file of a bundle: its path, whether it is as it was made, and what is wrong where it is not."""

    path: str
    passed: bool
    problem: str

    def as_dict(self) -> dict[str, Any]:
        """Return the check as a JSON object."""
        return asdict(self)


def inventory_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of every file below a folder, by its path with forward slashes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"size_bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in files
    }


def describe(context: BundleContext, target: BundleTarget, files: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bundle's manifest."""
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "target": target.name,
        "name": context.manifest.name,
        "variant": context.variant,
        "interface": context.interface.as_dict(),
        "selftest": {
            "samples": len(context.samples),
            "fingerprint": context.interface.fingerprint,
            "tolerances": {tolerance.output: tolerance.as_dict() for tolerance in context.tolerances},
        },
        "model": context.manifest.as_dict(),
        "made_by": {"edgeconv": version("edgeconv")},
        "files": dict(files),
    }


def read_inventory(folder: Path) -> dict[str, Any]:
    """Read a bundle's manifest.

    Raises:
        ArtifactError: the folder is no bundle, or one that is newer than this edgeconv.
    """
    value = read_json(folder / MANIFEST_FILE)
    objects = all(isinstance(value.get(key), dict) for key in ("files", "model"))
    known = value.get("format") == FORMAT and objects
    if not known or value.get("schema_version") != SCHEMA_VERSION:
        raise ArtifactError(
            f"`{folder}` must be a bundle of schema version {SCHEMA_VERSION}. Received: format "
            f"{value.get('format')!r}, schema_version {value.get('schema_version')!r}. Make it with `edgeconv bundle`."
        )
    Manifest.from_dict(value["model"], str(folder / MANIFEST_FILE))
    return value


def check_files(folder: Path) -> tuple[FileCheck, ...]:
    """Hold every file that a bundle's manifest lists against its SHA-256. What was built beside them is left alone.

    Raises:
        ArtifactError: the folder is no bundle.
    """
    return tuple(_check(folder, path, entry) for path, entry in read_inventory(folder)["files"].items())


def _check(folder: Path, path: str, entry: Any) -> FileCheck:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts:
        return FileCheck(path, False, "leaves the bundle's folder")
    file = folder / path
    if not os.path.isfile(file):  # noqa: PTH113 - of names of any length
        return FileCheck(path, False, "is absent")
    wanted = entry.get("sha256") if isinstance(entry, dict) else None
    digest = sha256_of(file)
    return FileCheck(path, digest == wanted, "" if digest == wanted else f"has SHA-256 {digest[:12]}...")
