"""The command line: answers to inputs, or the self-test."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from .answers import OPTIONS, Answer
from .contract import SELFTEST_FILE, Arrays, BundleError, InputError
from .selftest import Report, selftest


class Answering(Protocol):
    """What answers: the model here, or a server that has it."""

    def predict(self, source: Any, **options: Any) -> Answer:
        """Answer one input; `options` are those of `answers.answer_of`."""
        ...

    def run(self, arrays: Arrays) -> Arrays:
        """Return the outputs to inputs by name."""
        ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what each command line takes."""
    parser.add_argument("inputs", nargs="*", metavar="BUNDLE_METAVAR", help="files")
    parser.add_argument(
        "--selftest",
        nargs="?",
        type=Path,
        const=SELFTEST_FILE,
        metavar="FILE",
        help=f"run the self-test on FILE, by default {SELFTEST_FILE.name}",
    )
    parser.add_argument("--rows", action="store_true", help="print each sample's row")
    for name, default in OPTIONS.items():
        number = type(default)
        parser.add_argument(f"--{name}", type=number, default=default, metavar="NUMBER")
    if hasattr(Answer, "save"):
        parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")


def run(parser: argparse.ArgumentParser, open_model: Callable[[], Answering]) -> int:
    """Do what the command line says; return its exit code."""
    options = parser.parse_args()
    if bool(options.inputs) == bool(options.selftest):
        parser.error("name files, or --selftest")
    try:
        model = open_model()
        if options.selftest:
            return _print_selftest(selftest(model, options.selftest), options.rows)
        return _print_answers(model, options)
    except BundleError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _print_answers(model: Answering, options: argparse.Namespace) -> int:
    failed, stems = False, list[str]()
    how = {name: getattr(options, name) for name in OPTIONS}
    for path in options.inputs:
        try:
            answer = model.predict(path, **how)
        except InputError as error:
            print(f"Error: {path}: {error}", file=sys.stderr)
            failed = True
            continue
        row = {"path": path, **answer.as_row()}
        if hasattr(answer, "save"):
            row["file"] = str(answer.save(options.out / _free(Path(path).stem, stems)))
        print(json.dumps(row), flush=True)
    return int(failed)


def _free(stem: str, taken: list[str]) -> str:
    number = taken.count(stem)
    taken.append(stem)
    return f"{stem}-{number}" if number else stem


def _print_selftest(report: Report, rows: bool) -> int:
    if rows:
        for row in report.rows:
            print(json.dumps(asdict(row)))
    print("\n".join(report.verdict), file=sys.stderr)
    return int(not report.passed)
