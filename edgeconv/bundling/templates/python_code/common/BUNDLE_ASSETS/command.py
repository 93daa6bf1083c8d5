"""The command line: answers to inputs, or the self-test."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any
from unicodedata import category

from .answers import OPTIONS, Answer
from .contract import SELFTEST_FILE, BundleError, InputError
from .selftest import Report, selftest

# Categories of Unicode: controls, formats, ends of lines and of paragraphs.
STEERING = ("Cc", "Cf", "Zl", "Zp")
JOINERS = "\u200c\u200d"  # words and emoji are written with them


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


def run(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    open_model: Callable[[], Any],
    tests: Sequence[Callable[[Any, Path], Report]] = (selftest,),
) -> int:
    """Do what the command line says; return its exit code.

    `open_model` opens what has the methods `predict` and `run` of a model.
    """
    if bool(options.inputs) == bool(options.selftest):
        parser.error("name files, or --selftest")
    warnings.simplefilter("ignore")  # of Pillow: errors say what is wrong
    try:
        model = open_model()
        if options.selftest:
            reports = [test(model, options.selftest) for test in tests]
            return _print_selftest(reports, options.rows)
        return _print_answers(model, options)
    except (BundleError, InputError) as error:
        _say(f"Error: {error}")
        return 1


def _print_answers(model: Any, options: argparse.Namespace) -> int:
    failed, stems = False, list[str]()
    how = {name: getattr(options, name) for name in OPTIONS}
    for path in options.inputs:
        try:
            answer = model.predict(path, **how)
            row = {"path": path, **answer.as_row()}
            if hasattr(answer, "save"):
                place = options.out / _free(Path(path).stem, stems)
                row["file"] = str(answer.save(place))
        except (BundleError, InputError) as error:
            _say(f"Error: {path}: {error}")
            failed = True
            continue
        _print(row)
    return int(failed)


def _free(stem: str, taken: list[str]) -> str:
    number = taken.count(stem)
    taken.append(stem)
    return f"{stem}-{number}" if number else stem


def _print_selftest(reports: Sequence[Report], rows: bool) -> int:
    for row in reports[0].rows if rows else ():
        _print(_without_nan(asdict(row)))
    failed = [report for report in reports if not report.passed]
    for report in failed or reports:
        for line in report.verdict:
            _say(line)
    return int(bool(failed))


def _without_nan(value: Any) -> Any:
    """Return what JSON can hold: null in the place of NaN and infinity."""
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _print(row: Any) -> None:
    """Print a row of JSON; where nobody reads on, end without a word, as others do."""
    try:
        print(json.dumps(row), flush=True)
    except OSError as error:
        # What is still to be written has a place to go to when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(1)
        raise BundleError(f"stdout cannot be written to: {error.strerror}") from error


def _say(text: str) -> None:
    """Print one line; what steers a terminal or turns the order of letters is escaped."""
    if sys.stderr:
        print("".join(map(_printable, text)), file=sys.stderr)


def _printable(sign: str) -> str:
    steers = category(sign) in STEERING and sign not in JOINERS
    return f"\\u{ord(sign):04x}" if steers else sign
