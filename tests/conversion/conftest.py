from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnxruntime as ort  # noqa: E402

from tests.conversion.randomness import wind_back  # noqa: E402

Build = Callable[..., Any]


@pytest.fixture(scope="module", autouse=True)
def _same_models_in_every_run() -> None:
    """Seed what is drawn for the models of a module, where they are made once for all its tests."""
    wind_back()


@pytest.fixture(autouse=True)
def _same_model_in_every_order(_same_models_in_every_run: None) -> None:
    """Seed what is drawn for the model of a test, whichever tests were run before it."""
    wind_back()


@pytest.fixture
def build() -> Build:
    """Return a function that makes an ONNX model of nodes and constants."""

    def make(
        nodes: Sequence[Any],
        constants: dict[str, np.ndarray],
        input_shape: Sequence[int | str],
        output_shape: Sequence[int | str],
        input_type: int = onnx.TensorProto.FLOAT,
    ) -> Any:
        helper = onnx.helper
        graph = helper.make_graph(
            list(nodes),
            "test",
            [helper.make_tensor_value_info("image", input_type, input_shape)],
            [helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, output_shape)],
            [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    return make


@pytest.fixture
def run() -> Callable[[Any, np.ndarray], np.ndarray]:
    """Return a function that checks an ONNX model and runs it."""

    def answer(model: Any, image: np.ndarray) -> np.ndarray:
        onnx.checker.check_model(model, full_check=True)
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return np.asarray(session.run(None, {"image": image})[0])

    return answer
