"""The contract of an artifact, in its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import edgeconv
from tests.fuzz.target import ROOT, SEVEN, TINY, Reader, Target
from tests.fuzz.texts import damaged_json

CONTRACTS = [
    json.loads(path.read_text()) for path in (TINY / "manifest.json", ROOT / "tests" / "data" / "manifest-v1.json")
]


def _open(folder: Path) -> Reader:
    for path in TINY.glob("*.onnx"):
        shutil.copy(path, folder)

    def look(path: Path) -> None:
        with edgeconv.Predictor(path.parent) as model:
            model.predict(SEVEN)

    return Reader(look)


TARGET = Target("manifest", "manifest.json", damaged_json(CONTRACTS), _open, corpus="manifests")
