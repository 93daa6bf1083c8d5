"""`edgeconv bundle`: what it makes, what it checks, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgeconv.bundling import targets
from edgeconv.cli import bundle


def test_a_bundle_is_made_and_checked(run: Any, tiny: Path) -> None:
    made = run("bundle", tiny, "--target", "python", "--out", "app")
    assert made.exit_code == 0, made.output
    assert "its three commands are in app" in made.stderr
    assert Path("app/README.md").is_file()
    assert run("bundle", "--check", "app", "--format", "table").stdout.count("as it was made") >= 5
    Path("app/predict.py").write_text("print('hello')\n")
    result = run("bundle", "--check", "app")
    assert result.exit_code == 1
    assert [check["path"] for check in json.loads(result.stdout)["files"] if not check["passed"]] == ["predict.py"]
    assert "Received: predict.py has SHA-256" in result.stderr


def test_a_folder_with_files_in_it_is_left_alone(run: Any, tiny: Path) -> None:
    Path("app").mkdir()
    Path("app/mine.txt").write_text("mine")
    result = run("bundle", tiny, "--target", "python", "--out", "app")
    assert result.exit_code == 2
    assert "must be a folder that is absent or empty" in result.stderr
    assert [path.name for path in Path("app").iterdir()] == ["mine.txt"]
    assert {path.name for path in Path().iterdir()} == {"app"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--target is required"),
        (("--target", "fax"), "'fax' is not one of"),
        (("--check", "app", "--target", "web"), "--check takes no other option"),
        (("--target", "web", "--public-key", "key"), "--public-key goes with --check"),
    ],
)
def test_usage(run: Any, arguments: tuple[str, ...], message: str) -> None:
    result = run("bundle", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_the_command_knows_every_target() -> None:
    assert tuple(targets.TARGETS) == bundle.TARGETS


def test_a_folder_that_is_no_bundle(run: Any, tiny: Path) -> None:
    result = run("bundle", "--check", tiny)
    assert result.exit_code == 1
    assert "must be a bundle of schema version 1" in result.stderr
