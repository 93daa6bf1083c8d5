"""An `.onnx` file of an artifact, of whose SHA-256 the manifest knows."""

from __future__ import annotations

import json
from pathlib import Path

import edgeconv
from edgeconv.artifact import sha256_of
from tests.fuzz.target import SEVEN, TINY, Reader, Target
from tests.fuzz.targets.lone_onnx import DAMAGED


def _look(path: Path) -> None:
    manifest = json.loads((TINY / "manifest.json").read_text())
    manifest["variants"] = {"fp32": {**manifest["variants"]["fp32"], "sha256": sha256_of(path)}}
    (path.parent / "manifest.json").write_text(json.dumps(manifest))
    try:
        with edgeconv.Predictor(path.parent) as model:
            model.predict(SEVEN)
    finally:
        edgeconv.inspect(path.parent)


TARGET = Target("artifact-onnx", "model.onnx", DAMAGED, lambda _: Reader(_look), corpus="onnx")
