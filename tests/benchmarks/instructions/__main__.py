"""Count the instructions of a call of some models on emulated ARM processors.

    python -m tests.benchmarks.instructions [--device pi5] MODEL.onnx...

Two runs of QEMU, one with 400 calls more than the other; what they differ by is theirs. It tells how much work a form
of a model is on a processor, and nothing of caches, memory or how many instructions a core begins at once: no times.
Needs the package `qemu-user` (the static build takes no plugins), a C compiler, and `make arm-root`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from edgeconv.evaluation.emulation.devices import ARM, DEVICES, Device
from edgeconv.evaluation.emulation.emulator import PYTHON, arm_root

HERE = Path(__file__).parent
FEW, MANY = 4, 404
"""Calls; the first ones allocate, and starts of Python differ by some millions of instructions."""

QEMU = "qemu-aarch64"


def main() -> None:
    """Print a line a device and model."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.instructions", description=__doc__)
    parser.add_argument("models", nargs="+", type=Path)
    of_arm = [name for name, device in DEVICES.items() if device.architecture == ARM]
    parser.add_argument("--device", action="append", choices=of_arm, help="default: all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch:
        plugin = Path(scratch) / "counting.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", plugin, HERE / "counting.c"], check=True)
        for name in options.device or of_arm:
            for model in options.models:
                few, many = (executed(DEVICES[name], plugin, model.resolve(), calls) for calls in (FEW, MANY))
                print(f"{name}  {model}  {(many - few) / (MANY - FEW):,.0f} instructions a call", flush=True)


def executed(device: Device, plugin: Path, model: Path, calls: int) -> int:
    """Return how many instructions a process with so many calls executes, its start included."""
    with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch:
        system = Path(scratch) / "system"
        system.mkdir()
        device.disguise(system)
        for part in arm_root().iterdir():
            (system / part.name).symlink_to(part)
        python = (arm_root() / PYTHON, "-P", HERE / "calls.py", model, calls)
        done = subprocess.run(
            [QEMU, "-plugin", plugin, "-cpu", device.cpu, "-L", system, *map(str, python)],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(done.stderr.strip()[-300:])
    return int(next(line.split()[1] for line in done.stderr.splitlines() if line.startswith("executed ")))


if __name__ == "__main__":
    main()
