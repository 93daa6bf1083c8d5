"""What the figures are drawn from: the photograph, the reference model's weights, and what each layer answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import numpy_helper

import edgeconv
from edgeconv.pictures.decoding import decode

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "exported" / "mnist-reference"
PHOTOGRAPH = ROOT / "tests" / "data" / "seven.png"

Array = NDArray[Any]


@dataclass(frozen=True)
class Reference:
    """The reference model and one picture.

    Attributes:
        photograph: uint8, (height, width, 3), 0-255.
        image: uint8, (28, 28), 0-255: the prepared photograph.
        weights: by name, as `conv1/Conv:kernel`; scaling of pixels is folded into those of conv1.
        int8: weights of the int8 file by name, as `conv1/Conv:kernel`, and their scales, as `s2`.
        activations: float32, (channels, height, width), by tensor name, as `conv1/Relu:0`.
        shifted: the same for the image shifted by one pixel to the right.
    """

    photograph: Array
    image: Array
    weights: dict[str, Array]
    int8: dict[str, Array]
    activations: dict[str, Array]
    shifted: dict[str, Array]


def read_reference() -> Reference:
    """Prepare the photograph, and run the model on it with every convolution and pooling as an output."""
    photograph = decode(PHOTOGRAPH)
    image = edgeconv.Predictor(MODEL).prepare(photograph)
    model = onnx.load(MODEL / "model.onnx")
    names = [node.output[0] for node in model.graph.node if node.op_type in {"Relu", "MaxPool"}]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    images = np.stack([image, np.roll(image, 1, axis=1)])
    answers = dict(zip(names, session.run(names, {"image": images}), strict=True))
    return Reference(
        photograph,
        image[..., 0],
        _initializers(model),
        _initializers(onnx.load(MODEL / "model.int8.onnx")),
        {name: answer[0] for name, answer in answers.items()},
        {name: answer[1] for name, answer in answers.items()},
    )


def _initializers(model: onnx.ModelProto) -> dict[str, Array]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
