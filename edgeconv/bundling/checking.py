"""`check_bundle`: whether a bundle is still what was made, and whose it is."""

from __future__ import annotations

from pathlib import Path

from edgeconv.bundling.inventory import FileCheck, check_files


def check_bundle(folder: str | Path, *, public_key: str | Path | None = None) -> tuple[FileCheck, ...]:
    """Verify the checksums of a bundle's files, and its signature.

    Args:
        folder: the bundle. Files that were built or installed beside its own are ignored.
        public_key: in PEM format; None does not check the signature.

    Returns:
        One check per file.

    Raises:
        ArtifactError: the folder is no bundle.
        ChecksumError: the signature is absent, or is not that of the key over these files.

    Example:
        >>> all(check.passed for check in edgeconv.check_bundle("my-app"))  # doctest: +SKIP
        True
    """
    checks = check_files(Path(folder))
    if public_key is not None:
        from edgeconv.bundling.signing import verify

        verify(Path(folder), Path(public_key))
    return checks
