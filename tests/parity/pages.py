"""Reports, and what is read on them."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jinja2", reason="the report needs the extra `train`")

from edgeconv.manifest import ArraySpec, Manifest, Variant
from edgeconv.manifest_blocks import Calibration, FloatNode, Provenance
from edgeconv.parity.classes import compare_classes, judge_classes
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.report import FlipPicture, render_report
from edgeconv.parity.stage import Stage, on_images
from edgeconv.preparation import Preparation
from tests.manifests import quantization

VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """Reads a page strictly: every tag must be closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u202f", " ").split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def ledger_of(
    classes: int = 4, count: int = 200, *, labelled: bool = True, flips: int = 5, max_drop: float = 100.0
) -> Ledger:
    labels = np.arange(count) % classes
    reference = np.full((count, classes), 0.1, np.float32)
    reference[np.arange(count), labels] = 0.9
    int8 = reference.copy()
    int8[:flips] = np.roll(reference[:flips], 1, axis=1)
    truth = labels.astype(np.int64) if labelled else None
    rows = tuple(
        compare_classes(
            Stage(stage, provider, on_images(np.asarray), size_bytes), answers, reference, truth, p50_latency_ms=0.25
        )
        for stage, provider, answers, size_bytes in (
            ("keras", "TensorFlow", reference, 788_430),
            ("fp32", "CPUExecutionProvider", reference + np.float32(1e-6), 375_731),
            ("int8", "CPUExecutionProvider", int8, 105_460),
        )
    )
    return Ledger("shapes", "test" if labelled else "random", "ab" * 32, rows, judge_classes(rows, max_drop=max_drop))


def manifest_of(labels: tuple[str, ...] = ("ring", "bar", "cross", "dot"), channels: int = 1) -> Manifest:
    reason = FloatNode("dense/Softmax", "Softmax", "probabilities need more than 256 steps")
    calibration = Calibration("shapes", "train", 500, 0, "56" * 32)
    fp32 = Variant("model.onnx", 17, 8, size_bytes=375_731, sha256="12" * 32)
    int8 = Variant("model.int8.onnx", 17, 8, quantization(), (reason,), calibration)
    return Manifest(
        name="shapes",
        input=ArraySpec("image", "uint8", ("batch", 8, 8, channels), (0.0, 255.0), "pixels"),
        preprocess=Preparation("resize", 8, 8, channels),
        output=ArraySpec("probabilities", "float32", ("batch", len(labels)), (0.0, 1.0), "probabilities"),
        labels=labels,
        variants={
            "fp32": fp32,
            "int8": replace(int8, size_bytes=105_460, sha256="34" * 32),
        },
        provenance=Provenance("cd" * 32, None, None, 93_322, {"keras": "3.15.1"}),
    )


def pictures_of(ledger: Ledger, shape: tuple[int, int, int] = (8, 8, 1)) -> dict[str, list[FlipPicture]]:
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    return {row.stage: [FlipPicture(flip, image) for flip in row.flips] for row in ledger.rows[1:]}


TRAINING: dict[str, Any] = {
    "epochs_done": 2,
    "seed": 7,
    "test_accuracy": 0.9875,
    "parameters": 93322,
    "recipe": {"name": "onecycle"},
    "config": {"arch": "convnet"},
    "history": [{"epoch": 1, "loss": 0.5, "test_accuracy": 0.9}, {"epoch": 2, "loss": 0.25, "test_accuracy": 0.9875}],
    "dataset": {"name": "shapes", "source": "shapes.npz", "sha256": "ef" * 32, "counts": {"train": 400, "test": 200}},
}


CURVES = b"\x89PNG not looked at"


def render(manifest: Manifest | None = None, ledger: Ledger | None = None, **options: Any) -> str:
    ledger = ledger or ledger_of()
    defaults = {"training": TRAINING, "curves_png": CURVES, "flips": pictures_of(ledger)}
    return render_report(manifest or manifest_of(), ledger, **(defaults | options))


def many(classes: int) -> tuple[str, ...]:
    return tuple(f"class {index}" for index in range(classes))
