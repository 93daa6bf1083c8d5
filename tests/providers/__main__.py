"""Hold the shipped model on providers that run without their hardware, each in an environment of its own.

    python -m tests.providers [--only NAME] [--images N]

Makes the environments, compares what happens in each with what `environments.py` expects, and exits with 1 where they
differ. Keras answers too. Keeps the results with --keep, and with --table writes the table of docs/guides/providers.md
from them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import edgeconv
from edgeconv.runtime.processor import read_processor
from tests.pages import PROVIDERS, write_between
from tests.providers.asking import ROOT, ask
from tests.providers.environments import ENVIRONMENTS, FOR_QNN, SHIPPED, Environment
from tests.providers.judging import problems
from tests.providers.table import render

RESULTS = Path(__file__).with_name("results.json")
OWN = ("numpy", "pillow", "click", "rich")
"""What edgeconv requires beside ONNX Runtime; its own list of dependencies would add the plain one."""


def main() -> int:
    """Run the environments; return 1 where one surprises."""
    parser = argparse.ArgumentParser(prog="python -m tests.providers", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(ENVIRONMENTS), help="default: all")
    parser.add_argument("--images", type=int, default=0, help="test images of MNIST; default: the 16 golden vectors")
    parser.add_argument("--keep", action="store_true", help=f"write what was found into {RESULTS.name}")
    parser.add_argument("--table", action="store_true", help="only write the table, from stored results")
    options = parser.parse_args()
    if options.table:
        write_between(PROVIDERS, "providers", render(json.loads(RESULTS.read_text(encoding="utf-8"))))
        return 0
    found, surprises = dict[str, Any](), 0
    for name in options.only or ENVIRONMENTS:
        environment = ENVIRONMENTS[name]
        python = installed(environment)
        if environment.model == FOR_QNN:
            export_for_npu()
        found[name] = ask(python, environment, options.images)
        wrong = problems(environment, found[name])
        surprises += len(wrong)
        print(f"{name}: {'; '.join(wrong) or 'as expected'}", flush=True)
        if options.keep:
            keep(found)
    return 1 if surprises else 0


def keep(found: Mapping[str, Any]) -> None:
    """Write what was found in environments in place of what is known of them."""
    before = json.loads(RESULTS.read_text(encoding="utf-8"))["environments"] if RESULTS.is_file() else {}
    known = before | found
    in_order = {name: known[name] for name in ENVIRONMENTS if name in known}
    results = {"processor": read_processor().name, "environments": in_order}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def installed(environment: Environment) -> Path:
    """Return the Python of an environment, which is made where it is not there, or has other packages."""
    folder = ROOT / f".venv-providers-{environment.folder or environment.name}"
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join(environment.packages)
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        constraints = ["--constraint", str(ROOT / "constraints.txt")]
        subprocess.run([*pip, *constraints, *OWN], check=True)
        subprocess.run([*pip, "--no-deps", "--editable", str(ROOT)], check=True)
        for package in environment.packages:  # One by one: two wheels at once are to overwrite each other.
            subprocess.run([*pip, package], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python


def export_for_npu() -> None:
    """Export the shipped model with `--target qnn`, unless that is done; needs the extra `train`."""
    if not (ROOT / FOR_QNN / "manifest.json").is_file():
        config = edgeconv.ExportConfig(quantize=True, target="qnn")
        edgeconv.export(ROOT / SHIPPED / "model.keras", config=config, out=ROOT / FOR_QNN)


if __name__ == "__main__":
    sys.exit(main())
