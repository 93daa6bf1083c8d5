"""Records in JSON beside models: of a training, of parity, of a bundle's files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from edgeconv.artifact import TRAINING_FILE, read_json, sha256_of
from edgeconv.bundling.checking import check_bundle
from edgeconv.conversion.steps.source import find_data, find_source
from edgeconv.parity.ledger import Ledger
from edgeconv.progress import SILENT
from tests.fuzz.target import TINY, Reader, Target
from tests.fuzz.texts import damaged_json

DATA = "data.npz"
TRAINING = {
    "model": {"sha256": sha256_of(TINY / "model.keras")},
    "seed": 0,
    "recipe": {"name": "onecycle"},
    "epochs_done": 5,
    "dataset": {
        "name": "data",
        "sha256": "0" * 64,
        "preparation": {"kind": "resize", "height": 12, "width": 12, "channels": 3},
        "spec": {"dataset": DATA, "data_dir": None, "image_size": [12, 12], "val_split": 0.2, "channels": 3, "seed": 0},
    },
}


def _open_training(folder: Path) -> Reader:
    shutil.copy(TINY / "model.keras", folder)
    np.savez(folder / DATA, x=np.zeros((10, 12, 12, 3), np.uint8), y=np.arange(10) % 2)

    def look(path: Path) -> None:
        path.write_bytes(path.read_bytes().replace(b'"data.npz"', json.dumps(str(folder / DATA)).encode()))
        find_data(find_source(folder, SILENT), None, SILENT)

    return Reader(look)


BUNDLE = {
    "format": "edgeconv.bundle",
    "schema_version": 1,
    "model": json.loads((TINY / "manifest.json").read_text()),
    "files": {"README.md": {"size_bytes": 3, "sha256": "0" * 64}, "model/a.py": {"size_bytes": 3, "sha256": "1" * 64}},
}

TARGETS = (
    Target("training", TRAINING_FILE, damaged_json([TRAINING]), _open_training, corpus="records"),
    Target(
        "parity",
        "parity.json",
        damaged_json([json.loads((TINY / "parity.json").read_text())]),
        lambda _: Reader(lambda path: Ledger.from_dict(read_json(path), str(path))),
        corpus="records",
    ),
    Target(
        "bundle-files",
        "manifest.json",
        damaged_json([BUNDLE]),
        lambda _: Reader(lambda path: check_bundle(path.parent)),
        corpus="records",
    ),
)
