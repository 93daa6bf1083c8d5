"""Who runs: every variant of the artifact, and the peers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeconv.runtime.processor import int8_overflows

PICTURES = "e2e"
"""The variant that takes pictures of any size, which no peer does."""

OWN, PEER, LIMIT = "edgeconv", "peer", "limit"
STATIC, STATIC_PREPARED = "ONNX Runtime, `quantize_static`", "ONNX Runtime, `quant_pre_process` and `quantize_static`"
TF2ONNX, LITERT_FP32, LITERT_INT8 = "ONNX Runtime, tf2onnx", "LiteRT fp32", "LiteRT int8"
PREDICTOR = "`Predictor`, tuned"


@dataclass(frozen=True)
class Contender:
    """One file, and the library that runs it.

    Attributes:
        name: unique among those of a network.
        side: `OWN`, `PEER` or `LIMIT`.
        runner: a key of `runners.RUNNERS`.
        file: what it opens.
        precision: ``"fp32"`` or ``"int8"``.
        any_batch: the file for batches above 1, where that is another.
        exact: ask ONNX Runtime for sums that do not overflow, as edgeconv does on an x86 without VNNI.
    """

    name: str
    side: str
    runner: str
    file: Path
    precision: str
    any_batch: Path | None = None
    exact: bool = False


def contenders(folder: Path) -> list[Contender]:
    """Return who runs a network whose files `making.make` put into `folder`."""
    artifact = folder / "artifact"
    variants = {item.name: item for item in _variants(artifact)}
    tf2onnx, bare = folder / "tf2onnx.onnx", folder / "bare.keras"
    return [
        *variants.values(),
        Contender(PREDICTOR, OWN, "predictor", artifact, "int8"),
        Contender(TF2ONNX, PEER, "onnxruntime", tf2onnx, "fp32"),
        Contender(STATIC, PEER, "onnxruntime", folder / "static.onnx", "int8"),
        Contender(STATIC_PREPARED, PEER, "onnxruntime", folder / "prepared_static.onnx", "int8"),
        Contender(LITERT_FP32, PEER, "litert", folder / "fp32.tflite", "fp32", folder / "fp32-any.tflite"),
        Contender(LITERT_INT8, PEER, "litert", folder / "int8.tflite", "int8", folder / "int8-any.tflite"),
        Contender("OpenVINO fp32, tf2onnx", PEER, "openvino", tf2onnx, "fp32"),
        Contender("OpenVINO int8, edgeconv's file", PEER, "openvino", variants["int8"].file, "int8"),
        Contender("Keras `model(x)`", PEER, "keras", bare, "fp32"),
        Contender("Keras `model.predict`", PEER, "keras_predict", bare, "fp32"),
    ]


def _variants(artifact: Path) -> Iterator[Contender]:
    """Yield the variants that take images, those of the manifest; a bare session each, as the peers have."""
    manifest = json.loads((artifact / "manifest.json").read_text(encoding="utf-8"))
    for name, variant in manifest["variants"].items():
        if name == PICTURES:
            continue
        int8 = name.startswith("int8")
        reduced = variant.get("quantization", {}).get("reduce_range") is True
        file = artifact / variant["file"]
        yield Contender(
            name, OWN, "onnxruntime", file, "int8" if int8 else "fp32", exact=int8 and not reduced and int8_overflows()
        )
