"""Train and export a model, and hold and time it on a real GPU.

    python -m tests.gpu cuda tensorrt     needs an NVIDIA card; trains
    python -m tests.gpu webgpu            any card with a Vulkan driver; the shipped model

Writes `figures.json` beside it where a device works, and exits with 1 and the reason where none does. With --table it
writes the table of docs/guides/providers.md from them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import edgeconv
from tests.gpu.table import render
from tests.pages import PROVIDERS, write_between
from tests.providers.__main__ import ROOT, installed
from tests.providers.environments import Environment

FIGURES = Path(__file__).with_name("figures.json")
TRAINED = "build/gpu/mnist"

CUDA = ("onnxruntime-gpu[cuda,cudnn]",)
ENVIRONMENTS = {
    "cuda": Environment("cuda", "NVIDIA, CUDA", "cuda", CUDA, folder="cuda", model=TRAINED),
    "tensorrt": Environment("tensorrt", "NVIDIA, TensorRT", "tensorrt", CUDA, folder="cuda", model=TRAINED),
    "webgpu": Environment(
        "webgpu", "WebGPU on a card", "webgpu", ("onnxruntime", "onnxruntime-ep-webgpu"), folder="webgpu-on-card"
    ),
}


def main() -> int:
    """Measure the devices that are named; return 1 where none works."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("devices", nargs="*", help=", ".join(ENVIRONMENTS))
    parser.add_argument("--table", action="store_true", help="only write the table, from stored figures")
    options = parser.parse_args()
    if unknown := set(options.devices) - set(ENVIRONMENTS):
        parser.error(f"no environment is called {', '.join(sorted(unknown))}; there are {', '.join(ENVIRONMENTS)}")
    if options.table:
        write_between(PROVIDERS, "cards", render(json.loads(FIGURES.read_text(encoding="utf-8"))))
        return 0
    found: dict[str, Any] = {}
    for name in options.devices:
        environment = ENVIRONMENTS[name]
        if environment.folder == "cuda" and shutil.which("nvidia-smi") is None:
            print(f"{environment.title}: no card, since there is no nvidia-smi. Install NVIDIA's driver.")
            continue
        python = installed(environment)
        if not works(python, environment):
            continue
        if environment.model == TRAINED:
            train_and_export()
        found[name] = json.loads(_run(python, "tests.gpu.measuring", environment.model, name).splitlines()[-1])
        print(json.dumps(found[name]["rows"], indent=2))
    if not found:
        return 1
    FIGURES.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def works(python: Path, environment: Environment) -> bool:
    """Tell whether a device works in its environment, before minutes are spent; say why not."""
    command = ["-c", "from edgeconv.cli.main import main; main()", "doctor", "--device", environment.device]
    done = subprocess.run(
        [python, *command, "--format", "table"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(done.stdout if done.returncode else f"{environment.title}: works", flush=True)
    return done.returncode == 0


def train_and_export() -> None:
    """Train the book's convnet for two epochs, and export fp32 and float16, unless that is done."""
    if (ROOT / TRAINED / "manifest.json").is_file():
        return
    edgeconv.train("mnist", config=edgeconv.TrainConfig(epochs=2), out=ROOT / TRAINED)
    edgeconv.export(ROOT / TRAINED / "model.keras", config=edgeconv.ExportConfig(fp16=True), out=ROOT / TRAINED)


def _run(python: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, "-m", *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


if __name__ == "__main__":
    sys.exit(main())
