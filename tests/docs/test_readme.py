from __future__ import annotations

import re
from pathlib import Path

from edgeconv.bundling.targets import TARGETS
from tests.benchmarks.inference.table import COSTS, TIMES
from tests.pages import BENCHMARKS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("*") for cell in line.strip("|\n ").split("|")]


def test_the_table_of_speed_has_the_figures_of_the_benchmarks() -> None:
    """A row of the README has a time and a size; those of one row of the first network's tables."""
    _, _, first = BENCHMARKS.read_text(encoding="utf-8").partition("<!-- inference:begin -->")
    rows = [
        _cells(line) for line in first.partition("\n### ")[2].partition("\n### ")[0].splitlines() if line[:1] == "|"
    ]
    times = {cells[0]: cells[1] for cells in rows if len(cells) == len(TIMES)}
    measured = {(times[cells[0]], cells[-1]) for cells in rows if len(cells) == len(COSTS)}
    table = README.partition("## Speed")[2].partition("## ")[0]
    shown = [_cells(line)[1:] for line in table.splitlines() if re.match(r"\| .*\d", line)]
    assert len(shown) == 5
    assert {tuple(cells) for cells in shown} <= measured
    assert any(cells[0] == "Keras `model(x)`" and cells[1] in table for cells in rows)


def test_every_bundle_target_is_in_the_readme() -> None:
    table = README.partition("## Bundles")[2].partition("## ")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(TARGETS)


def test_links_lead_to_files() -> None:
    for page in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        links = re.findall(r"\]\(([^)#]+)", text)
        assert links
        for link in links:
            assert (ROOT / link).is_file(), f"{page}: {link}"


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 160


def test_paths_that_contributors_are_sent_to_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = [path for path in re.findall(r"`((?:edgeconv|tests|docs|cli)/[\w/.-]*)`", text) if "<" not in path]
    assert len(paths) > 10
    for path in paths:
        assert (ROOT / path).exists(), path


def test_modules_that_the_architecture_follows_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## The path of a picture")[2]
    modules = [name for name in re.findall(r"`([a-z0-9_]+/[a-z0-9_/.]*)`", text) if name != "cli/predict.py"]
    assert len(modules) > 10
    library = ROOT / "edgeconv"
    for name in modules:
        places = [library / name, library / "conversion" / name]
        assert any(place.is_dir() or place.with_suffix(".py").is_file() for place in places), name
