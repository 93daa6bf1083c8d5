"""A whole `edgeconv export` of ResNet50 beside the bare `tf2onnx.convert.from_function`, in turn, as fresh processes.

Prints seconds and peak memory of both, and the ratios: ``python tests/benchmarks/bench_export.py [--model NAME]``. The
export verifies what it writes; the bare conversion does not. A quiet machine is needed, and memory: tf2onnx takes 8 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

BARE = """
import sys, keras, tensorflow as tf, tf2onnx
model = keras.models.load_model(sys.argv[1], compile=False)
function = tf.function(lambda image: {"answer": model(image, training=False)})
signature = [tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype, name="image")]
tf2onnx.convert.from_function(function, input_signature=signature, opset=17, output_path=sys.argv[2])
"""

MAKE = """
import sys, keras
keras.utils.set_random_seed(0)
getattr(keras.applications, sys.argv[1])(weights=None).save(sys.argv[2])
"""


def main() -> None:
    """Time both, pair by pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="ResNet50", help="A class of keras.applications.")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgeconv-bench-") as scratch:
        model = Path(scratch) / f"{options.model}.keras"
        _run([sys.executable, "-c", MAKE, options.model, str(model)])
        edgeconv = str(Path(sys.executable).parent / "edgeconv")
        commands = {
            "export": [edgeconv, "export", str(model), "--out", str(Path(scratch) / "out")],
            "from_function": [sys.executable, "-c", BARE, str(model), str(Path(scratch) / "bare.onnx")],
        }
        found: dict[str, list[tuple[float, int]]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, command in commands.items():
                found[name].append(_run(command))
    seconds = {name: median(run[0] for run in runs) for name, runs in found.items()}
    peak = {name: max(run[1] for run in runs) for name, runs in found.items()}
    print(
        json.dumps(
            {
                "model": options.model,
                "seconds": {name: round(value, 1) for name, value in seconds.items()},
                "peak_mib": {name: value >> 10 for name, value in peak.items()},
                "ratio_of_seconds": round(seconds["export"] / seconds["from_function"], 2),
                "ratio_of_peaks": round(peak["export"] / peak["from_function"], 2),
                "runs": options.runs,
            }
        )
    )


def _run(command: list[str]) -> tuple[float, int]:
    """Return the seconds that a process took, and its peak memory in KiB, or that of its largest child."""
    silent = os.open(os.devnull, os.O_WRONLY)
    start = time.perf_counter()
    actions = [(os.POSIX_SPAWN_DUP2, silent, stream) for stream in (1, 2)]
    process = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    os.close(silent)
    if status != 0:
        raise SystemExit(f"{' '.join(command[:3])}... must end well. Received: exit status {status}. Run it alone.")
    return seconds, usage.ru_maxrss


if __name__ == "__main__":
    main()
