"""Exports every model of `keras.applications` by edgeconv, tf2onnx and Keras, and writes down what came of it.

    python -m tests.zoo [--only NAME...] [--parts tf2onnx keras ours int8] [--out FILE] [--again] [--table [PAGE]]

One model is made, exported and deleted at a time, each step in a process of its own on one thread. What is in the
results file already is not done again, unless `--again` says so. `--table` only writes the table, from that file.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.pages import MODEL_ZOO, write_between
from tests.zoo import ours, peers, results, table
from tests.zoo.children import GIB, Limits, python

PARTS = ("tf2onnx", "keras", "ours", "int8")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.zoo", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="These models, instead of all.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="Default: all of them.")
    parser.add_argument("--out", type=Path, default=results.FILE, help="The results file.")
    parser.add_argument("--again", action="store_true", help="Do what the results file has already, too.")
    parser.add_argument("--seconds", type=float, default=600, help="Limit of each step.")
    parser.add_argument("--memory", type=float, default=12, help="Limit of each step, in GiB.")
    help_ = "Only write the table, from stored figures, into PAGE (default: the page in docs/)."
    parser.add_argument("--table", nargs="?", type=Path, const=MODEL_ZOO, metavar="PAGE", help=help_)
    options = parser.parse_args()
    if options.table:
        write_between(options.table, "zoo", table.render(results.read(options.out)))
        return
    names = model_names()
    if unknown := set(options.only or ()) - set(names):
        parser.error(f"--only must name models of keras.applications. Received: {', '.join(sorted(unknown))}.")
    limits = Limits(options.seconds, int(options.memory * GIB))
    for name in [name for name in names if name in (options.only or names)]:
        known = {} if options.again else results.read(options.out)["models"].get(name, {})
        if todo := [part for part in options.parts if part not in known]:
            explore(name, todo, options.out, limits)
    if options.out.is_file():
        print("\n".join(table.summary(results.read(options.out))))


def model_names() -> list[str]:
    """Return the names of all models, the largest last.

    Asked of a child: Linux counts what a parent has resident at the fork among the peak of its child, so that this
    process has to stay small.
    """
    listed = python("catalogue", limits=Limits())
    if listed.code != 0:
        sys.exit(f"keras.applications could not be looked into: {listed.reason}")
    return listed.stdout.split()


def explore(name: str, parts: list[str], out: Path, limits: Limits) -> None:
    """Make a model in a temporary folder, take the parts' ways with it, and store what each found."""
    with tempfile.TemporaryDirectory(prefix=f"zoo-{name}-") as scratch:
        folder = Path(scratch)
        built = python("models", name, folder, limits=limits)
        if built.code != 0:
            print(f"{name}: could not be made: {built.reason}", flush=True)
            return
        model, reference = folder / f"{name}.keras", folder / "reference.npz"
        for part in parts:
            if part == "ours":
                found = ours.measure(model, reference, limits)
            elif part == "int8":
                found = ours.measure_int8(model, folder / "calibration.npz", limits)
            else:
                found = peers.measure(part, model, reference, limits)
            results.record(out, name, part, found)
            print(progress_line(name, part, found), flush=True)


def progress_line(name: str, part: str, found: dict[str, Any]) -> str:
    """Return one line that says what a part found."""
    counts = f" {found['nodes']} nodes, {found['transposes']} transposes," if "nodes" in found else ""
    error = f" error {found['error']:.1e} of the spread," if found.get("error") is not None else ""
    reason = f": {found['reason']}" if found["reason"] else ""
    cost = f" {found['seconds']:.0f} s, {found['peak_bytes'] / GIB:.1f} GiB"
    return f"{name:18} {part:8} {found['outcome']:14}{counts}{error}{cost}{reason}"


if __name__ == "__main__":
    # Or a child would go on alone.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped. The same command goes on from here."))
    main()
