"""A small model to put the preparation in front of, and whole models opened."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from edgeconv.conversion.embedding.composition import embed
from edgeconv.preparation import Preparation
from edgeconv.runtime.processor import int8_overflows


class Embedded:
    """A whole model on one thread: pictures to probabilities and to what the model was given."""

    def __init__(self, model: onnx.ModelProto) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        if int8_overflows():
            options.add_session_config_entry("session.x64quantprecision", "1")
        self._session = ort.InferenceSession(
            model.SerializeToString(deterministic=True), options, providers=["CPUExecutionProvider"]
        )

    def answer(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities, float32, (classes,)."""
        return np.asarray(self._session.run(["probabilities"], {"picture": picture})[0][0])

    def prepare(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return what the model was given, uint8, (height, width, channels)."""
        return np.asarray(self._session.run(["prepared"], {"picture": picture})[0][0])


def mean_model(preparation: Preparation) -> onnx.ModelProto:
    """Return a model of two classes: the mean of the pixels, 0 to 1, and what is left of 1."""
    helper, types = onnx.helper, onnx.TensorProto
    shape = ["batch", preparation.height, preparation.width, preparation.channels]
    constants = {"flat": np.array([0, -1]), "most": np.float32(255), "one": np.float32(1)}
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["floats"], to=types.FLOAT),
            helper.make_node("Reshape", ["floats", "flat"], ["pixels"]),
            helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1]),
            helper.make_node("Div", ["mean", "most"], ["bright"]),
            helper.make_node("Sub", ["one", "bright"], ["dark"]),
            helper.make_node("Concat", ["bright", "dark"], ["probabilities"], axis=1),
        ],
        "mean",
        [helper.make_tensor_value_info("image", types.UINT8, shape)],
        [helper.make_tensor_value_info("probabilities", types.FLOAT, ["batch", 2])],
        [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def with_mean_model(preparation: Preparation) -> Embedded:
    """Return the preparation in front of `mean_model`."""
    return Embedded(embed(mean_model(preparation), preparation))


def difference(made: NDArray[np.uint8], expected: NDArray[np.uint8]) -> int:
    """Return the largest difference in grey levels."""
    assert made.shape == expected.shape
    return int(np.abs(made.astype(int) - expected.astype(int)).max())
