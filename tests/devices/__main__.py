"""Hold the int8 variants of artifacts against Keras on every device that can be emulated, and print the ledgers.

Needs qemu-user, the ARM system that `make arm-root` makes and, for the shipped model, full MNIST in $EDGECONV_DATA.
Without artifacts it takes the shipped model, and makes files of it for the targets `TARGETS`.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import onnxruntime as ort

import edgeconv
from edgeconv.cli.output import write_table
from edgeconv.cli.parity_table import parity_columns
from edgeconv.cli.progress import TerminalProgress
from edgeconv.config import ExportConfig
from edgeconv.evaluation.evaluate import evaluate
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import reference_model
from tests.devices.table import render
from tests.pages import BENCHMARKS, write_between

FIGURES = Path(__file__).with_name("figures.json")
IMAGES = 1000
TARGETS = ("x86-avx2", "arm64")
"""Those whose files a device is to run as they are."""

MADE = Path("build/devices")


def main() -> int:
    """Run every artifact on every device; return 3 where a gate fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.devices", description=__doc__)
    parser.add_argument("artifacts", nargs="*", type=Path, help="folders; default: of the shipped model")
    parser.add_argument("--images", type=int, default=IMAGES, help=f"of the test split; default: {IMAGES}")
    parser.add_argument("--max-drop", type=float, default=0.2, help="percentage points; default: 0.2")
    parser.add_argument("--dataset", help="labelled data; default: what an artifact was trained on")
    parser.add_argument("--emulate", action="append", help="pi4, pi5, avx2 or all; default: all")
    parser.add_argument("--figures", type=Path, default=FIGURES, help=f"where they go; default: {FIGURES.name} here")
    help_ = "only write the table, from stored figures, into PAGE (default: the page in docs/)"
    parser.add_argument("--table", nargs="?", type=Path, const=BENCHMARKS, metavar="PAGE", help=help_)
    options = parser.parse_args()
    if options.table:
        write_between(options.table, "devices", render(json.loads(options.figures.read_text(encoding="utf-8"))))
        return 0
    found = []
    for artifact in options.artifacts or [reference_model(), *made_for_targets(options.dataset)]:
        start = time.perf_counter()
        ledger = evaluate(
            artifact,
            dataset=options.dataset,
            max_drop=options.max_drop,
            images=options.images,
            emulate=options.emulate or ["all"],
            progress=TerminalProgress(),
        )
        rows = ledger.as_dict()["rows"]
        columns = parity_columns(ledger)
        write_table([[cell(row) for cell in columns.values()] for row in rows], list(columns))
        print(f"{'Every gate holds.' if ledger.passed else ledger.failures()}\n")
        found.append(_figures(artifact, ledger, round(time.perf_counter() - start, 1)))
    versions = {"onnxruntime": ort.__version__, "python": platform.python_version()}
    options.figures.write_text(json.dumps({"versions": versions, "artifacts": found}, indent=2) + "\n")
    return 0 if all(figures["passed"] for figures in found) else 3


def made_for_targets(dataset: str | None) -> list[Path]:
    """Return artifacts of the shipped model, quantized anew for each of `TARGETS`."""
    for target in TARGETS:
        config = ExportConfig(quantize=True, target=target)
        model = reference_model() / "model.keras"
        edgeconv.export(model, config=config, dataset=dataset, out=MADE / target, progress=TerminalProgress())
    return [MADE / target for target in TARGETS]


def _figures(artifact: Path, ledger: Any, seconds: float) -> dict[str, Any]:
    variants = read_files(artifact).manifest.variants
    rows = [
        {
            "stage": row.stage,
            "images": row.count,
            "accuracy": row.accuracy,
            "flips": len(row.flips),
            "max_abs_dp": row.max_abs_dp,
            "sqnr_db": row.sqnr_db,
        }
        for row in ledger.rows
    ]
    quantization = {name: variant.quantization for name, variant in variants.items() if name.startswith("int8")}
    kept = ("target", "activation_type", "weight_type", "per_channel", "reduce_range")
    return {
        "artifact": artifact.name,
        "dataset": ledger.dataset,
        "int8": {name: {key: getattr(all_of, key) for key in kept} for name, all_of in quantization.items()},
        "rows": rows,
        "passed": ledger.passed,
        "seconds": seconds,
    }


if __name__ == "__main__":
    sys.exit(main())
