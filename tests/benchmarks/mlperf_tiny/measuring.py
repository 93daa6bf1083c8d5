"""Exports the models to int8, and holds that, and the int8 of their authors, against the float model."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.mlperf_tiny.models import TinyModel, folder

HOME = Path("build/mlperf-tiny")
COUNT = 400
"""Inputs that are drawn: half to calibrate with, half to compare on."""

ROUNDS, CALLS = 60, 40

Answer = Callable[[NDArray[Any]], NDArray[np.float32]]
"""One input, (...), to its answers, (k,)."""


def drawn(model: TinyModel) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return inputs to calibrate with, and others."""
    inputs = model.make(np.random.default_rng(0), COUNT)
    return inputs[: COUNT // 2], inputs[COUNT // 2 :]


def export(model: TinyModel) -> None:
    """Export one model to int8."""
    from edgeconv.config import ExportConfig
    from edgeconv.conversion.export import export_here

    home = HOME / model.name
    home.mkdir(parents=True, exist_ok=True)
    calibration, _ = drawn(model)
    np.savez(home / "calibration.npz", calibration.astype(np.uint8) if model.input_range else calibration)
    config = ExportConfig(
        variants=("int8",),
        max_drop=model.max_drop,
        calibration=str(home / "calibration.npz"),
        input_range=model.input_range,
        unsafe=True,
    )
    export_here(folder() / model.source, config=config, out=home / "artifact")


def compare(model: TinyModel) -> dict[str, Any]:
    """Return error, flips and bytes of both int8 files on the same inputs."""
    _, inputs = drawn(model)
    expected = {"ours": _all(onnx_model(model, "model.onnx"), inputs)}
    own = model.their_float
    expected["theirs"] = expected["ours"] if own is None else _all(tflite_model(model, own), inputs)
    files = {"ours": HOME / model.name / "artifact" / "model.int8.onnx", "theirs": folder() / model.theirs}
    found = {"ours": _all(onnx_model(model), inputs), "theirs": _all(tflite_model(model, model.theirs), inputs)}
    figures: dict[str, Any] = {"count": len(inputs)}
    for whose, answers in found.items():
        wanted, size = expected[whose], files[whose].stat().st_size
        rms = 100.0 * float(np.sqrt(np.square(answers - wanted).mean()) / np.ptp(wanted))
        flips = int((answers.argmax(1) != wanted.argmax(1)).sum()) if model.answers_classes else None
        figures[whose] = {"rms_percent": rms, "flips": flips, "size_bytes": size}
    return figures


def timed(model: TinyModel) -> dict[str, float]:
    """Return microseconds a call, batch 1, one thread, in turns of some calls each: the median of the turns.

    They are those that the thread had the processor for, so that others on a busy machine count less.
    """
    _, inputs = drawn(model)
    racers = {"ours": onnx_model(model), "theirs": tflite_model(model, model.theirs)}
    turns: dict[str, list[float]] = {whose: [] for whose in racers}
    for turn in range(ROUNDS):
        for whose, answer in racers.items():
            given = inputs[turn % len(inputs)]
            began = time.thread_time()
            for _ in range(CALLS):
                answer(given)
            turns[whose].append((time.thread_time() - began) / CALLS)
    return {whose: 1e6 * median(seconds) for whose, seconds in turns.items()}


def onnx_model(model: TinyModel, file: str = "model.int8.onnx") -> Answer:
    """Return a file of ours as a function."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = HOME / model.name / "artifact" / file
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (put,) = session.get_inputs()
    kind = np.uint8 if put.type == "tensor(uint8)" else np.float32
    return lambda given: np.asarray(session.run(None, {put.name: given[None].astype(kind)})[0], np.float32).ravel()


def tflite_model(model: TinyModel, file: str) -> Answer:
    """Return a file of the authors' as a function; it quantizes its input as the benchmark does, and answers floats."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder() / file), num_threads=1)
    interpreter.allocate_tensors()
    (put,), (got,) = interpreter.get_input_details(), interpreter.get_output_details()
    (in_scale, in_zero), (out_scale, out_zero) = put["quantization"], got["quantization"]

    def answer(given: NDArray[Any]) -> NDArray[np.float32]:
        values = given / np.float32(model.divisor)
        if put["dtype"] != np.float32:
            low, high = np.iinfo(put["dtype"]).min, np.iinfo(put["dtype"]).max
            values = np.rint(values / in_scale + in_zero).clip(low, high)
        interpreter.set_tensor(put["index"], values.astype(put["dtype"]).reshape(put["shape"]))
        interpreter.invoke()
        made = interpreter.get_tensor(got["index"]).astype(np.float32).ravel()
        return (made - out_zero) * np.float32(out_scale) if out_scale else made

    return answer


def _all(answer: Answer, inputs: NDArray[Any]) -> NDArray[np.float32]:
    return np.stack([answer(given) for given in inputs])
