"""A bundle is still what was made, or says what is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling.inventory import check_files, inventory_of, read_inventory
from edgeconv.errors import (
    ArtifactError,
    ManifestError,
    SchemaVersionError,
)


@pytest.fixture
def copied(make_bundle: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(make_bundle("ort"), tmp_path / "copied"))


def _failed(folder: Path) -> dict[str, str]:
    return {check.path: check.problem for check in check_files(folder) if not check.passed}


def _edit(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))


def test_a_bundle_is_as_it_was_made_whatever_is_built_beside_it(copied: Path) -> None:
    (copied / "build").mkdir()
    (copied / "build" / "out.o").write_bytes(b"")
    assert _failed(copied) == {}
    assert {check.path for check in check_files(copied)} == {*inventory_of(copied)} - {"manifest.json", "build/out.o"}


def test_changed_and_absent_files_are_named(copied: Path) -> None:
    (copied / "plain" / "model.ort").write_bytes(b"changed")
    (copied / "README.md").unlink()
    failed = _failed(copied)
    assert failed.keys() == {"README.md", "plain/model.ort"}
    assert failed["README.md"] == "is absent"
    assert failed["plain/model.ort"].startswith("has SHA-256 ")


@pytest.mark.parametrize("path", ["../outside", "/etc/hostname", "plain/../../outside"])
def test_paths_out_of_the_folder_are_not_read(copied: Path, path: str) -> None:
    (copied.parent / "outside").write_text("")
    _edit(copied, files={path: {"size_bytes": 0, "sha256": "0" * 64}})
    assert _failed(copied) == {path: "leaves the bundle's folder"}


@pytest.mark.parametrize("entry", [None, "text", 3, {}, {"sha256": None}, []])
def test_entries_of_another_form_fail(copied: Path, entry: Any) -> None:
    _edit(copied, files={"README.md": entry})
    assert _failed(copied).keys() == {"README.md"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "edgeconv"}, "must be a bundle of schema version 1"),
        ({"model": "x"}, "must be a bundle of schema version 1"),
        ({"schema_version": 2}, "schema_version 2"),
        ({"schema_version": None}, "schema_version None"),
        ({"files": []}, "must be a bundle"),
    ],
)
def test_foreign_and_newer_manifests_are_refused(copied: Path, changes: dict[str, Any], words: str) -> None:
    _edit(copied, **changes)
    with pytest.raises(ArtifactError, match=words):
        read_inventory(copied)


def test_the_contract_inside_a_manifest_is_checked_too(copied: Path) -> None:
    model = read_inventory(copied)["model"]
    _edit(copied, model=model | {"schema_version": 99})
    with pytest.raises(SchemaVersionError, match="99"):
        read_inventory(copied)
    _edit(copied, model={})
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        read_inventory(copied)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such file"):
        check_files(tmp_path)
