"""Options of the export, each on one small classifier. TensorFlow takes a second for each export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.errors import ConfigError, DatasetError, UnsupportedModelError  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an untrained classifier of raw pixels."""
    path = tmp_path_factory.mktemp("model") / "classifier.keras"
    network = keras.Sequential(
        [
            layers.Input((16, 16, 3), dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, activation="relu", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(5, activation="softmax", name="scores"),
        ]
    )
    alive(network).save(path)
    return path


def _pictures(folder: Path, count: int) -> Path:
    from PIL import Image

    generator = np.random.default_rng(5)
    for number in range(count):
        place = folder / f"group{number % 2}" / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(place)
    return folder


def test_fp16_is_a_variant_of_its_own(model: Path, tmp_path: Path) -> None:
    exported = export_here(model, config=ExportConfig(fp16=True), out=tmp_path / "m")
    graph = onnx.load(tmp_path / "m" / "model.fp16.onnx").graph
    assert {constant.data_type for constant in graph.initializer if len(constant.dims) > 1} == {
        onnx.TensorProto.FLOAT16
    }
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert set(exported.manifest.variants) == {"fp32", "fp16"}
    row = exported.ledger.row("fp16")
    assert row is not None
    assert 0 < row.max_abs_dp < 1e-2
    predictor = edgeconv.Predictor(tmp_path / "m", variant="fp16")
    assert len(predictor.predict(np.zeros((16, 16, 3), np.uint8)).top) == 3


def test_a_fixed_batch_is_in_the_file_and_int8_is_calibrated_in_it(model: Path, tmp_path: Path) -> None:
    config = ExportConfig(batch=4, quantize=True, max_drop=100.0, calibration=str(_pictures(tmp_path / "p", 10)))
    exported = export_here(model, config=config, out=tmp_path / "m")
    for file in ("model.onnx", "model.int8.onnx"):
        session = ort.InferenceSession(tmp_path / "m" / file, providers=["CPUExecutionProvider"])
        assert session.get_inputs()[0].shape == [4, 16, 16, 3]
        assert session.get_outputs()[0].shape == [4, 5]
    assert exported.manifest.input.shape == (4, 16, 16, 3)
    assert [row.count for row in exported.ledger.rows] == [10, 10, 10]


def test_calibration_on_a_folder_of_pictures(model: Path, tmp_path: Path) -> None:
    config = ExportConfig(quantize=True, max_drop=100.0, calibration=str(_pictures(tmp_path / "pictures", 12)))
    exported = export_here(model, config=config, out=tmp_path / "m")
    record = exported.manifest.variants["int8"].calibration
    assert (record.dataset, record.split, record.size) == ("pictures", "calibration", 12)
    assert (exported.ledger.split, exported.ledger.rows[2].accuracy) == ("calibration", None)
    assert exported.ledger.rows[2].agreement > 0.7


def test_calibration_on_arrays_of_a_model_whose_range_nobody_knows(tmp_path: Path) -> None:
    """Its input stays float32, and is quantized on the way in."""
    network = keras.Sequential(
        [keras.Input((12, 12, 1)), layers.Conv2D(6, 3, activation="relu"), layers.Flatten(), layers.Dense(4)]
    )
    alive(network).save(tmp_path / "floats.keras")
    images = np.random.default_rng(2).normal(size=(30, 12, 12)).astype(np.float32)
    np.savez(tmp_path / "c.npz", images=images)
    config = ExportConfig(quantize=True, max_drop=100.0, calibration=str(tmp_path / "c.npz"), task="classes")
    exported = export_here(tmp_path / "floats.keras", config=config, out=tmp_path / "m")
    session = ort.InferenceSession(tmp_path / "m" / "model.int8.onnx", providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].type == "tensor(float)"
    operators = [node.op_type for node in onnx.load(tmp_path / "m" / "model.int8.onnx").graph.node]
    assert operators.count("QuantizeLinear") >= 2
    assert (exported.ledger.rows[2].sqnr_db or 99) > 15


@pytest.mark.parametrize(
    ("calibration", "error", "problem"),
    [
        ("empty", DatasetError, "must be a picture or hold some"),
        ("wrong.npz", ConfigError, r"must hold `image`, uint8 \('batch', 16, 16, 3\)"),
        ("floats.npz", ConfigError, "which that cannot hold"),
        ("absent.npz", ConfigError, "must be an .npz of arrays"),
    ],
)
def test_calibration_that_does_not_fit(
    model: Path, tmp_path: Path, calibration: str, error: type[Exception], problem: str
) -> None:
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "wrong.npz", images=np.zeros((3, 8, 8, 3), np.uint8))
    np.savez(tmp_path / "floats.npz", images=np.full((3, 16, 16, 3), 0.5, np.float32))
    with pytest.raises(error, match=problem):
        export_here(
            model, config=ExportConfig(quantize=True, calibration=str(tmp_path / calibration)), out=tmp_path / "m"
        )


def test_calibration_without_int8_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`calibration` is for int8"):
        export_here(model, config=ExportConfig(calibration=str(tmp_path)), out=tmp_path / "m")


def test_the_oldest_runtime_decides_the_opset(model: Path, tmp_path: Path) -> None:
    said: list[str] = []

    class Listener:
        say = staticmethod(said.append)
        bar = staticmethod(edgeconv.progress.SILENT.bar)

    exported = export_here(model, config=ExportConfig(min_runtime="1.10"), out=tmp_path / "m", progress=Listener())
    file = onnx.load(tmp_path / "m" / "model.onnx")
    assert file.opset_import[0].version == exported.manifest.variants["fp32"].opset == 15
    assert any(
        "Loads in ONNX Runtime 1.9 and later. 1.10 is onnxruntime for Python 3.6 to 3.9" in line for line in said
    )
    with pytest.raises(ConfigError, match="opset"):
        export_here(model, config=ExportConfig(opset=5), out=tmp_path / "n")


def test_every_layer_is_held_against_keras(model: Path, tmp_path: Path) -> None:
    config = ExportConfig(
        explain=True, quantize=True, max_drop=100.0, calibration=str(_pictures(tmp_path / "pictures", 8))
    )
    explanation = export_here(model, config=config, out=tmp_path / "m").explanation
    assert explanation is not None
    assert explanation.variants == ("fp32", "int8")
    rows = {row.layer: row.errors for row in explanation.rows}
    fp32, int8 = rows["norm"]["fp32"], rows["norm"]["int8"]
    assert fp32 is not None
    assert int8 is not None
    assert fp32.max_error < 1e-4 < int8.max_error
    assert 15 < (int8.sqnr_db or 0) < 60


def test_a_layer_that_differs_is_named(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A weight is spoiled on its way from the traced graph to the simplified one."""
    from edgeconv.conversion.variants import fp32

    simplify = fp32.simplify

    def spoiled(proto: onnx.ModelProto) -> onnx.ModelProto:
        model = simplify(proto)
        gemm = next(node for node in model.graph.node if node.op_type == "Gemm")
        kernel = next(constant for constant in model.graph.initializer if constant.name == gemm.input[1])
        values = onnx.numpy_helper.to_array(kernel).copy()
        values[0, 0] += 5.0
        kernel.CopyFrom(onnx.numpy_helper.from_array(values, kernel.name))
        return model

    monkeypatch.setattr(fp32, "simplify", spoiled)
    with pytest.raises(UnsupportedModelError, match=r"must answer in ONNX as in Keras.*layer that differs is `scores`"):
        export_here(model, config=ExportConfig(), out=tmp_path / "m")
    assert not (tmp_path / "m").exists()
