"""A file of `quantize_model`, TensorFlow Model Optimization's: its int8 has the ranges of that training.

`tests/data/make_quantize_model.py` made it, with the answers of the wrapped model.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

pytestmark = pytest.mark.train
pytest.importorskip("keras", reason="needs the extra `train`")
h5py = pytest.importorskip("h5py", reason="needs the extra `train`")

from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.conversion.exported import ExportedModel  # noqa: E402
from edgeconv.fake_quantization import representable  # noqa: E402
from edgeconv.runtime.runner import Runner  # noqa: E402

FILE = Path(__file__).parents[1] / "data" / "quantize_model.h5"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    """Ten seconds."""
    folder = tmp_path_factory.mktemp("wrapped")
    with np.load(FILE.with_suffix(".npz")) as arrays:
        np.savez(folder / "calibration.npz", x=arrays["x"])
        np.savez(folder / "validation.npz", x=arrays["x"], y=arrays["y"])
    config = ExportConfig(quantize=True, calibration=str(folder / "calibration.npz"), max_drop=0.2)
    return export_here(FILE, config=config, dataset=str(folder / "validation.npz"), out=folder / "artifact")


def test_its_ranges_are_those_of_the_wrappers(exported: ExportedModel) -> None:
    """Each but that behind a ReLU, whose part below zero nothing reaches, and that before the softmax."""
    graph = onnx.load(exported.path / "model.int8.onnx").graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    scales = {node.name: float(constants[node.input[1]]) for node in graph.node if node.op_type == "QuantizeLinear"}
    wrapped = {"pointwise": "post_activation", "add": "output", "pool": "output"}
    behind_relu = {"relu": "output", "depthwise": "post_activation"}
    with h5py.File(FILE) as file:
        for name, kind in {**wrapped, **behind_relu}.items():
            group = file[f"model_weights/quant_{name}/quant_{name}"]
            low = 0.0 if name in behind_relu else float(group[f"{kind}_min:0"][()])
            low, high = representable(low, float(group[f"{kind}_max:0"][()]))
            assert scales[f"quant_{name}/Q"] == pytest.approx((high - low) / 255), name


def test_it_answers_as_the_wrapped_model_did(exported: ExportedModel) -> None:
    """And float does not, which nothing cuts off. What is left are kernels, with a scale for each channel here."""
    with np.load(FILE.with_suffix(".npz")) as arrays:
        feeds, wanted = {"image": arrays["x"]}, arrays["answers"]
    answers = {
        variant: np.asarray(next(iter(Runner(exported.path, variant=variant).run(feeds).values())))
        for variant in ("fp32", "int8")
    }
    off = {variant: float(np.abs(received - wanted).max()) for variant, received in answers.items()}
    assert off["int8"] < 0.02 < 0.1 < off["fp32"]
    int8 = next(row for row in exported.ledger.rows if row.stage == "int8")
    assert int8.sqnr_db is not None
    assert int8.sqnr_db > 60
