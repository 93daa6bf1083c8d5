"""What each step of the search for int8 gives by itself, on networks of `keras.applications` with random weights.

    python -m tests.benchmarks.bench_int8_steps NAME...

Prints a row of the table in docs/int8.md for each: SQNR of the scores before the softmax, in dB, on pictures that
nothing was measured on. A large network takes some minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from edgeconv.conversion.int8.feeds import surveyed
from edgeconv.conversion.int8.quantizing import prepare
from edgeconv.conversion.int8.search.candidates import Candidates
from edgeconv.conversion.int8.search.settings import Settings
from edgeconv.conversion.int8.targets import DEFAULT_TARGET, scheme_of
from edgeconv.parity.sqnr import power, sqnr_db
from tests.pages import line
from tests.zoo.models import SEED, build, images_for

SIDE = 96
CALIBRATED = JUDGED = 64
STEPS = {
    "minmax": Settings(),
    "percentile": Settings("percentile"),
    "entropy": Settings("entropy"),
    "equalization": Settings(equalized=True),
    "bias correction": Settings(corrected=True),
    "adaptive rounding": Settings(rounded=True),
}


def main(names: list[str]) -> None:
    """Print the rows."""
    print(line(["network", *STEPS]), flush=True)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            print(line([name, *_cells(name, Path(folder))]), flush=True)


def _cells(name: str, folder: Path) -> Iterator[str]:
    network = build(name, SIDE)
    network.save(folder / "model.keras")
    calibration, pictures = (
        images_for(name, network, count, SEED + seed) for count, seed in ((CALIBRATED, 2), (JUDGED, 3))
    )
    command = ["edgeconv", "export", folder / "model.keras", "--out", folder / "exported"]
    subprocess.run([Path(sys.executable).parent / command[0], *command[1:]], check=True, capture_output=True)
    fp32 = onnx.load(folder / "exported" / "model.onnx")
    (given,) = fp32.graph.input
    dtype = onnx.helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type)
    samples = calibration.astype(dtype)
    feeds = surveyed(
        lambda start: iter([{given.name: samples[start:]}]), len(samples), dataset="random", split="train", seed=0
    )
    candidates = Candidates(prepare(fp32), feeds, scheme_of(DEFAULT_TARGET))
    expected = _scores(fp32, given.name, pictures.astype(dtype))
    found = {}
    for step, settings in STEPS.items():
        if candidates.changes(settings):
            answered = _scores(candidates.quantize(settings, ()).model, given.name, pictures.astype(dtype))
            found[step] = f"{sqnr_db(power(expected), power(answered - expected)):.1f}"
            print(step, found[step], file=sys.stderr, flush=True)
    best = max(found.values(), key=float)
    for step in STEPS:
        cell = found.get(step, "no pairs")
        yield f"**{cell}**" if cell == best else cell


def _scores(model: onnx.ModelProto, name: str, pictures: NDArray[Any]) -> NDArray[np.float64]:
    """Return what goes into the softmax, (pictures, classes)."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    (output,) = changed.graph.output
    (softmax,) = (node for node in changed.graph.node if output.name in node.output and node.op_type == "Softmax")
    output.name = softmax.input[0]
    changed.graph.node.remove(softmax)
    session = ort.InferenceSession(changed.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {name: part[None]})[0] for part in pictures]).astype(np.float64)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(sys.argv[1:])
