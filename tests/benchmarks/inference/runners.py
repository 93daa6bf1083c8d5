"""One way to run each library: the one that its documentation shows for one thread and low latency.

A runner is opened with the number of threads. `fit` brings raw images into the form that the file takes, which is not
timed: each library gets the type and the scaling it likes best. `call` is what is timed: from an array to an array.
`scores` makes of an answer what can be compared.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.inference.contenders import OWN, Contender
from tests.benchmarks.inference.products import left_side

Array = NDArray[Any]
TYPES = {"tensor(uint8)": np.uint8, "tensor(int8)": np.int8, "tensor(float)": np.float32}


class Runner(ABC):
    """One file, opened."""

    dtype: Any = np.float32
    raw = False
    """Whether the file takes raw pixels, 0-255, not scaled ones."""

    check = 1
    """Images a call when answers are checked: one, as they are timed, unless a call costs more than an image."""

    def fit(self, pixels: NDArray[np.uint8], scale: float, offset: float) -> Array:
        """Return the images as `call` wants them."""
        if self.raw:
            return pixels.astype(self.dtype)
        return (pixels * np.float32(scale) + np.float32(offset)).astype(np.float32)

    @abstractmethod
    def __init__(self, contender: Contender, threads: int) -> None:
        """Open a file."""

    @abstractmethod
    def call(self, images: Array) -> Array:
        """Answer a batch."""

    def scores(self, answer: Array) -> Array:
        """Return an answer as real numbers."""
        return np.asarray(answer)


class OnnxRuntime(Runner):
    """A bare session, with the options of one latency-bound stream; edgeconv's files take raw pixels."""

    def __init__(self, contender: Contender, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if contender.exact:
            options.add_session_config_entry("session.x64quantprecision", "1")
        session = onnxruntime.InferenceSession(contender.file, options, providers=["CPUExecutionProvider"])
        self.raw = contender.side == OWN
        self.dtype = TYPES[session.get_inputs()[0].type]
        self._run, self._input = session.run, session.get_inputs()[0].name
        self._outputs = [session.get_outputs()[0].name]

    def call(self, images: Array) -> Array:
        return self._run(self._outputs, {self._input: images})[0]  # type: ignore[no-any-return]


class Product(OnnxRuntime):
    """A matrix product, whatever the images are."""

    def fit(self, pixels: NDArray[np.uint8], scale: float, offset: float) -> Array:  # noqa: ARG002
        return left_side(np.dtype(self.dtype))


class Predictor(Runner):
    """edgeconv's own runtime, with the variant and the options that it chooses."""

    def __init__(self, contender: Contender, threads: int) -> None:
        import edgeconv

        self._model = edgeconv.Predictor(contender.file, device="cpu", threads=threads)
        self.raw = True
        self.dtype = np.dtype(self._model.manifest.input.dtype)

    def call(self, images: Array) -> Array:
        return self._model.probabilities(images)


class LiteRt(Runner):
    """The interpreter, which uses XNNPACK of itself."""

    def __init__(self, contender: Contender, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._files = contender.file, contender.any_batch or contender.file
        self._threads, self._make, self._batch = threads, Interpreter, 0
        self._resize(1)

    def fit(self, pixels: NDArray[np.uint8], scale: float, offset: float) -> Array:
        real = super().fit(pixels, scale, offset)
        details = self._interpreter.get_input_details()[0]
        step, zero = details["quantization"]
        return np.clip(np.round(real / step) + zero, 0, 255).astype(np.uint8) if step else real

    def call(self, images: Array) -> Array:
        if len(images) != self._batch:
            self._resize(len(images))
        self._interpreter.set_tensor(self._input, images)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)  # type: ignore[no-any-return]

    def scores(self, answer: Array) -> Array:
        step, zero = self._quantization
        return (answer.astype(np.float32) - zero) * step if step else answer

    def _resize(self, batch: int) -> None:
        file: Path = self._files[batch > 1]
        self._interpreter = self._make(str(file), num_threads=self._threads)
        details = self._interpreter.get_input_details()[0]
        if batch > 1:
            self._interpreter.resize_tensor_input(details["index"], [batch, *details["shape"][1:]])
        self._interpreter.allocate_tensors()
        output = self._interpreter.get_output_details()[0]
        self._batch, self._input, self._output = batch, details["index"], output["index"]
        self._quantization = output["quantization"]


class OpenVino(Runner):
    """One stream under the latency hint; arrays are shared, not copied."""

    def __init__(self, contender: Contender, threads: int) -> None:
        import openvino

        core = openvino.Core()
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
        compiled = core.compile_model(core.read_model(contender.file), "CPU", settings)
        self.raw = contender.file.parent.name == "artifact"
        self.dtype = np.uint8 if "u8" in str(compiled.input(0).element_type) else np.float32
        self._request = compiled.create_infer_request()

    def call(self, images: Array) -> Array:
        return self._request.infer([images], share_inputs=True, share_outputs=True)[0]  # type: ignore[no-any-return]


class Keras(Runner):
    """`model(x)`, brought back to numpy."""

    check = 50

    def __init__(self, contender: Contender, threads: int) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self._model = keras.models.load_model(contender.file, compile=False)

    def call(self, images: Array) -> Array:
        return np.asarray(self._model(images, training=False))


class KerasPredict(Keras):
    """`model.predict`, silent."""

    def call(self, images: Array) -> Array:
        return self._model.predict(images, verbose=0, batch_size=len(images))  # type: ignore[no-any-return]


RUNNERS: dict[str, type[Runner]] = {
    "onnxruntime": OnnxRuntime,
    "product": Product,
    "predictor": Predictor,
    "litert": LiteRt,
    "openvino": OpenVino,
    "keras": Keras,
    "keras_predict": KerasPredict,
}

LIBRARIES = {
    "onnxruntime": "onnxruntime",
    "product": "onnxruntime",
    "predictor": "edgeconv.runtime.predictor",
    "litert": "ai_edge_litert.interpreter",
    "openvino": "openvino",
    "keras": "keras",
    "keras_predict": "keras",
}
"""What each imports before it opens a file: memory is counted from there."""
