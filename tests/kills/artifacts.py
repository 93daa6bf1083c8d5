"""Two artifacts that differ in every file, a write of one over the other, and what opens afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from edgeconv.artifact import MANIFEST_FILE, PARITY_FILE, REPORT_FILE, SAMPLES_FILE, committed, read_json, sha256_of
from edgeconv.runtime.files import read_again, read_files
from edgeconv.runtime.golden import Samples
from edgeconv.transaction import transaction

PRODUCER = b"\x12\x05other"
"""The field `producer_name` of an ONNX file; of one that occurs twice the last one counts."""


def make_old(tiny: Path, folder: Path) -> Path:
    """Return an artifact of three variants, with golden vectors."""
    shutil.copytree(tiny, folder)
    _edit(folder / PARITY_FILE, writer="old")
    _edit(folder / MANIFEST_FILE, name="old")
    return folder


def make_new(tiny: Path, folder: Path) -> Path:
    """Return another one: other bytes in each file, two variants, no golden vectors."""
    shutil.copytree(tiny, folder)
    variants = read_json(folder / MANIFEST_FILE)["variants"]
    (folder / variants.pop("e2e")["file"]).unlink()
    (folder / SAMPLES_FILE).unlink()
    for variant in variants.values():
        path = folder / variant["file"]
        path.write_bytes(path.read_bytes() + PRODUCER)
        variant |= {"sha256": sha256_of(path), "size_bytes": path.stat().st_size}
    _edit(folder / PARITY_FILE, writer="new")
    _edit(folder / MANIFEST_FILE, name="new", variants=variants)
    (folder / REPORT_FILE).write_text("new")
    return folder


def write(source: Path, folder: Path) -> None:
    """Write an artifact's files into a folder, as an export does, and remove those that it does not have."""
    with transaction(folder) as scratch:
        for path in folder.iterdir():
            if path.is_file():
                (scratch / path.name).touch()
        for path in source.iterdir():
            shutil.copyfile(path, scratch / path.name)


OLD, NEW = ("old", 16), ("new", 0)
"""What opens of the two: a name, and the number of golden vectors."""


def what_opens(folder: Path) -> tuple[str, int]:
    """Return the name of an artifact, every variant of which is right, and the number of its golden vectors."""
    return read_again(folder, lambda: _read(folder))


def _read(folder: Path) -> tuple[str, int]:
    files = read_files(folder)
    for variant in files.variants:
        files.read(variant)
    return files.manifest.name, len(Samples.load(files.samples).images) if files.samples else 0


def state_of(folder: Path) -> str:
    """Return what opens where nobody is writing: then what has no checksum is of the same artifact too."""
    opened = what_opens(folder)
    assert opened in (OLD, NEW)
    name = opened[0]
    assert read_json(folder / PARITY_FILE)["writer"] == name
    assert (committed(folder / REPORT_FILE).read_text() == "new") == (name == "new")
    return name


def _edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(read_json(path) | changes))
