"""MLPerf Tiny's reference models to int8, beside the int8 of their authors: `make mlperf-tiny`.

    python -m tests.benchmarks.mlperf_tiny [--only NAME...] [--time-only] [--quality] [--table]

Figures go into results.json, by model; `--table` writes the table into docs/int8.md from there, and does no more.
`--time-only` times what was exported before. `--quality` measures our int8 on the benchmark's own data, of those who
have them, and ends with exit status 1 where one misses the benchmark's target.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.mlperf_tiny.measuring import compare, export, onnx_model, timed
from tests.benchmarks.mlperf_tiny.models import MODELS, TinyModel, folder
from tests.benchmarks.mlperf_tiny.real_data import load, quality
from tests.pages import DOCS, line, write_between

FILE = Path(__file__).with_name("results.json")
PAGE = DOCS / "int8.md"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.mlperf_tiny", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=MODELS, default=list(MODELS), help="Default: all of them.")
    for option, help_ in (
        ("--time-only", "Time what was exported before."),
        ("--quality", "Measure on the benchmark's own data, and hold our int8 to its targets."),
        ("--table", "Only write the table, from stored figures."),
    ):
        parser.add_argument(option, action="store_true", help=help_)
    options = parser.parse_args()
    results = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    chosen = [MODELS[name] for name in options.only]
    if options.table:
        write_between(PAGE, "mlperf-tiny", render(results))
    elif options.quality:
        held = [_holds(model) for model in chosen]
        sys.exit(0 if all(held) else 1)
    else:
        for model in chosen:
            if not options.time_only:
                export(model)
                results[model.name] = compare(model)
            results[model.name]["microseconds"] = timed(model)
            FILE.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            print(json.dumps({model.name: results[model.name]}), flush=True)


def render(results: dict[str, Any]) -> str:
    """Return the table: a row a model, ours and theirs side by side."""
    figures = ("RMS error over spread", "flips", "bytes", "us")
    header = ["model", *(f"{figure}, {whose}" for figure in figures for whose in ("ours", "theirs"))]
    table = [line(header), line(["---", *["--:"] * (len(header) - 1)])]
    for name, model in MODELS.items():
        found = results.get(name)
        if found is not None:
            both = found["ours"], found["theirs"]
            cells = [f"{side['rms_percent']:.2f} %" for side in both]
            cells += ["" if side["flips"] is None else f"{side['flips']} of {found['count']}" for side in both]
            cells += [f"{side['size_bytes']:,}" for side in both]
            cells += [f"{found['microseconds'][whose]:.0f}" for whose in ("ours", "theirs")]
            table.append(line([f"{model.title} (`{name}`)", *cells]))
    return "\n".join(table)


def _holds(model: TinyModel) -> bool:
    reached = quality(model, onnx_model(model), load(model, folder() / "data"))
    holds = reached >= model.target
    print(f"{model.title}: {reached:.4f}, at least {model.target:g}: {'holds' if holds else 'missed'}")
    return holds


if __name__ == "__main__":
    main()
