"""What int8 costs in accuracy, over all test images: `python -m tests.benchmarks.accuracy`.

    python -m tests.benchmarks.accuracy [--only NAME...] [--table [PAGE]]

Each network is exported with `--quantize` and the drop that it is held to; beside it stands what
`onnxruntime.quantization.quantize_dynamic` makes of the same fp32 file, one scale a tensor. Figures go into
accuracy.json, by network; `--table` writes the table from there, and does no more.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.networks import HOME, NETWORKS, Network, edgeconv
from tests.pages import BENCHMARKS, line, write_between

FILE = Path(__file__).with_name("accuracy.json")
DYNAMIC = "dynamic"
ALL = 1_000_000
BATCH = 250


def main() -> None:
    """Run the command line."""
    labelled = [name for name, network in NETWORKS.items() if network.dataset is not None]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=labelled, default=labelled, help="Default: all of them.")
    help_ = "Only write the table, from stored figures, into PAGE (default: the page in docs/)."
    parser.add_argument("--table", nargs="?", type=Path, const=BENCHMARKS, metavar="PAGE", help=help_)
    options = parser.parse_args()
    results = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    if options.table:
        write_between(options.table, "accuracy", render(results))
        return
    for name in options.only:
        results[name] = measure(NETWORKS[name])
        FILE.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(f"{NETWORKS[name].title}: " + ", ".join(f"{row['stage']} {_share(row)}" for row in results[name]["rows"]))


def measure(network: Network) -> dict[str, Any]:
    """Export a network and return the accuracy of each stage, with those of dynamic int8."""
    folder = HOME / network.name / "accuracy"
    shutil.rmtree(folder, ignore_errors=True)
    held = ["--max-drop", str(network.max_drop)]
    ended = edgeconv(
        "export", str(network.keras_file), "--quantize", *network.data_options, *held, "--out", str(folder)
    )
    if ended.returncode not in (0, 3):
        sys.exit(f"{network.title}: the export ended with exit status {ended.returncode}.")
    passed = ended.returncode == 0
    if not passed:  # Nothing was kept, so that the fp32 file is made again, alone.
        refused = (folder / "parity.failed.json").read_text(encoding="utf-8")
        edgeconv("export", str(network.keras_file), *network.data_options, "--out", str(folder))
    parity = json.loads(refused if not passed else (folder / "parity.json").read_text(encoding="utf-8"))
    kept = ("stage", "accuracy", "size_bytes")
    rows = [{key: row[key] for key in kept} | {"flips": len(row["flips"])} for row in parity["rows"]]
    rows.append(_dynamic(folder / "model.onnx", network))
    return {"images": parity["rows"][0]["count"], "max_drop": network.max_drop, "passed": passed, "rows": rows}


def render(results: dict[str, Any]) -> str:
    """Return the table: a row a network, a column a stage."""
    named = {name: {row["stage"]: row for row in found["rows"]} for name, found in results.items()}
    middle = dict.fromkeys(stage for rows in named.values() for stage in rows)
    stages = [stage for stage in middle if stage != DYNAMIC]
    titles = ["Keras" if stage == "keras" else stage for stage in stages]
    header = ["network", *titles, "drop of int8", "limit", "`quantize_dynamic`, per tensor"]
    table = [line(header), line(["---", *["--:"] * (len(header) - 1)])]
    for name, rows in named.items():
        lost = 100 * (rows["keras"]["accuracy"] - rows["int8"]["accuracy"])
        verdict = f"{results[name]['max_drop']} pp" + ("" if results[name]["passed"] else ", **not met**")
        cells = [_share(rows[stage]) if stage in rows else "-" for stage in stages]
        table.append(line([NETWORKS[name].title, *cells, f"{lost:.2f} pp", verdict, _share(rows[DYNAMIC])]))
    return "\n".join(table)


def _dynamic(fp32: Path, network: Network) -> dict[str, Any]:
    """Quantize with one scale a tensor, and ranges taken anew for each image."""
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    file = fp32.with_name("model.dynamic.onnx")
    # ONNX Runtime's ConvInteger has kernels for uint8 weights only.
    quantize_dynamic(fp32, file, per_channel=False, weight_type=QuantType.QUInt8)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    images, labels = network.images("test", ALL)
    kind = np.uint8 if session.get_inputs()[0].type == "tensor(uint8)" else np.float32
    name = session.get_inputs()[0].name
    parts = [images[start : start + BATCH].astype(kind) for start in range(0, len(images), BATCH)]
    answers = np.concatenate([session.run(None, {name: part})[0] for part in parts])
    accuracy = float((answers.argmax(1) == labels).mean())
    return {"stage": DYNAMIC, "accuracy": accuracy, "size_bytes": file.stat().st_size}


def _share(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy']:.2f} %"


if __name__ == "__main__":
    main()
