"""What `edgeconv doctor` and `edgeconv evaluate` say of a device in an environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgeconv.runtime.golden import Samples
from tests.providers.environments import SHIPPED, Environment

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "build" / "providers" / "golden.npz"

START = "import sys; sys.path += sys.argv[1:2]; del sys.argv[1:2]; from edgeconv.cli.main import main; main()"
"""Runs the command line with one more folder of packages behind the environment's own."""

LEFT_OUT = re.compile(r"^(\S+) on \S+ is left out: (.*)$", re.MULTILINE)


def ask(python: Path, environment: Environment, images: int) -> dict[str, Any]:
    """Return the state of the device, and the ledger of the model with a row for each variant on the device.

    Keras answers too, with the TensorFlow of the environment that this runs in.

    Args:
        python: of the environment.
        environment: which it is.
        images: test images of MNIST in $EDGECONV_DATA; 0 takes the golden vectors.
    """
    device = ["--device", environment.device, "--format", "json"]
    doctor = _edgeconv(python, environment, "", "doctor", *device)
    findings = {row["subject"]: row for row in _answer(doctor.stdout)["findings"]}
    found = {"state": findings[environment.device]["state"], "installation": findings["onnxruntime"]["text"]}
    if not environment.expected:
        return {**found, "exit_code": None, "rows": [], "gates": [], "refused": {}}
    data = ["mnist", "--images", str(images)] if images else [golden_dataset()]
    packages = sysconfig.get_path("purelib")
    done = _edgeconv(python, environment, packages, "evaluate", environment.model, "--dataset", *data, *device)
    refused = dict(LEFT_OUT.findall(done.stderr))
    return {**found, "exit_code": done.returncode, **summary(_answer(done.stdout)), "refused": refused}


def summary(ledger: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows and gates of a ledger without what is known of single images.

    A row says in how many of them it differs from the same variant on the CPU, in `flips_beside_cpu`.
    """
    rows = ledger.get("rows", [])
    answers = {row["stage"]: {flip["index"]: flip["answer"] for flip in row["flips"]} for row in rows}
    few = ("stage", "provider", "count", "accuracy", "agreement", "max_abs_dp", "sqnr_db", "p50_latency_ms")
    return {
        "rows": [
            {name: row[name] for name in few}
            | {
                "flips": len(row["flips"]),
                "flips_beside_cpu": _different(answers[row["stage"]], answers[row["stage"].partition(" on ")[0]]),
            }
            for row in rows
        ],
        "gates": [
            {name: gate[name] for name in ("stage", "name", "limit", "received", "passed")}
            for gate in ledger.get("gates", [])
        ],
    }


def golden_dataset() -> str:
    """Return the path of the shipped model's golden vectors as a dataset, which is written anew."""
    samples = Samples.load(ROOT / SHIPPED / "samples.npz")
    images, labels = samples.images, samples.labels
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    np.savez(GOLDEN, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return str(GOLDEN)


def _different(answers: Mapping[int, int], others: Mapping[int, int]) -> int:
    """Return how many images two stages answer differently, of which each names those that it answers unlike Keras."""
    return sum(answers.get(index) != others.get(index) for index in answers.keys() | others.keys())


def _answer(stdout: str) -> dict[str, Any]:
    """Return the JSON object on the last line, behind what libraries write; an empty one where there is none."""
    last = stdout.strip().splitlines()[-1:]
    return dict(json.loads(last[0])) if last and last[0].startswith("{") else {}


def _edgeconv(
    python: Path, environment: Environment, packages: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("VK_", "ORT_WEBGPU"))}
    command: Sequence[str] = [str(python), "-c", START, packages, *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**variables, **environment.variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
