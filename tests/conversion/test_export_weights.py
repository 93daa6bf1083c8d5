"""Weights alone in 8 and 4 bits: smaller files of any task, gated as int8 is, and run where they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.errors import ConfigError, ParityError  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers
BOTH = {"int8_weights": True, "int4_weights": True}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of a picture and of other values, whose answer are two values."""
    folder = tmp_path_factory.mktemp("weights")
    image, state = keras.Input((10, 10, 3), name="image"), keras.Input((40,), name="state")
    made = layers.Conv2D(16, 3, activation="relu")(image)
    made = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(made))
    made = layers.Concatenate()([made, layers.Dense(20, activation="relu")(state)])
    alive(keras.Model([image, state], layers.Dense(30)(made))).save(folder / "m.keras")
    generator = np.random.default_rng(2)
    shapes = {"image": (200, 10, 10, 3), "state": (200, 40)}
    samples = {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    np.savez(folder / "samples.npz", **samples)
    return folder / "m.keras"


class _Listener:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)

    def bar(self, description: str, total: int | None) -> Any:
        from edgeconv.progress import SILENT

        return SILENT.bar(description, total)


def test_files_are_smaller_and_hold(source: Path, tmp_path: Path) -> None:
    """An export takes TensorFlow some seconds."""
    heard = _Listener()
    config = ExportConfig(calibration=str(source.with_name("samples.npz")), max_drop=6.0, **BOTH)
    exported = export_here(source, config=config, out=tmp_path / "m", progress=heard)
    bits = {name: variant.size_bytes for name, variant in exported.manifest.variants.items()}
    assert list(bits) == ["fp32", "int8-weights", "int4-weights"]
    assert bits["int8-weights"] < 0.4 * bits["fp32"]
    assert bits["int4-weights"] < 0.8 * bits["int8-weights"]
    assert {gate.stage for gate in exported.ledger.gates} == set(bits)
    assert edgeconv.Runner(exported.path).variant == "fp32", "nobody asked for fewer bits"
    feeds = {name: array[:5] for name, array in np.load(source.with_name("samples.npz")).items()}
    (expected,), *others = (edgeconv.Runner(exported.path, variant=name).run(feeds).values() for name in bits)
    for (found,), largest in zip(others, (0.02, 0.15), strict=True):
        assert 1e-4 < np.sqrt(((found - expected) ** 2).mean()) / expected.std() < largest
    told = [line for line in heard.lines if line.startswith("Weights alone in ")]
    assert [line.partition(":")[0] for line in told] == [
        "Weights alone in 8 bits",
        "Weights alone in 4 bits in 3 of 4 layers, 8 in the others",
    ]
    assert "for the size, not the speed" in told[0]


def test_what_4_bits_would_lose_has_8(source: Path, tmp_path: Path) -> None:
    """An export takes TensorFlow some seconds."""
    exported = export_here(source, config=ExportConfig(max_drop=1.5, int4_weights=True), out=tmp_path / "m")
    model = onnx.load(exported.path / "model.int4-weights.onnx")
    kinds = [tensor.data_type for tensor in model.graph.initializer if tensor.name.endswith("/steps")]
    assert set(kinds) == {onnx.TensorProto.INT8, onnx.TensorProto.INT4}
    assert 1 < kinds.count(onnx.TensorProto.INT8) < 4, "the first layer's rows are too short, and others lose too much"


def test_what_loses_too_much_writes_nothing(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ParityError, match="int8-weights RMS error over spread in percent: at most 0, got"):
        export_here(source, config=ExportConfig(max_drop=0.0, int8_weights=True), out=tmp_path / "m")
    assert not (tmp_path / "m" / "manifest.json").exists()


def test_an_older_runtime_is_refused_before_any_work(source: Path, tmp_path: Path) -> None:
    config = ExportConfig(int4_weights=True, min_runtime="1.18")
    with pytest.raises(
        ConfigError, match=r"`int4_weights` requires ONNX Runtime 1\.19\. Received: `min_runtime` 1\.18"
    ):
        export_here(source, config=config, out=tmp_path / "m")
