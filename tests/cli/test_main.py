from __future__ import annotations

import errno
import importlib
import re
from pathlib import Path
from typing import Any

import click
import pytest

from edgeconv import errors
from edgeconv.cli.main import COMMANDS, cli

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(run: Any, name: str) -> None:
    command = importlib.import_module(f"edgeconv.cli.{name}").command
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"Example: edgeconv {name}" in result.output
    assert f"`edgeconv {name}" in README
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"--{parameter.name} has no help"


def test_the_commands_are_listed_in_the_order_of_the_way(run: Any) -> None:
    listed = re.findall(r"^  (\w+)  +\S", run("--help").output, re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_version(run: Any) -> None:
    assert re.fullmatch(r"edgeconv \d+\.\d+\.\d+\n", run("--version").output)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes a command which raises an error."""

    def make(error: BaseException) -> None:
        @click.command()
        def command() -> None:
            raise error

        monkeypatch.setattr(importlib.import_module("edgeconv.cli.inspect"), "command", command)

    return make


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ArtifactError("no model"), 1),
        (errors.DatasetError("no data"), 1),
        (errors.MissingDependencyError("no tensorflow"), 1),
        (errors.ConfigError("no such option"), 2),
        (errors.ParityError("a gate failed"), 3),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.png"), 1),
        (OSError(errno.ENOSPC, "No space left on device"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_of_the_user_are_one_line_and_a_code(run: Any, failing: Any, error: BaseException, code: int) -> None:
    failing(error)
    result = run("inspect")
    assert result.exit_code == code
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert (str(error) in result.stderr) or isinstance(error, KeyboardInterrupt)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), OSError("a bug"), KeyError("a bug")])
def test_a_bug_keeps_its_traceback(run: Any, failing: Any, error: Exception) -> None:
    failing(error)
    assert run("inspect").exception is error


def test_debug_shows_the_traceback_of_our_errors(run: Any, failing: Any) -> None:
    error = errors.ArtifactError("no model")
    failing(error)
    assert run("--debug", "inspect").exception is error


def test_every_error_of_ours_has_an_exit_code(run: Any, failing: Any) -> None:
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.EdgeconvError):
            failing(error("text"))
            assert run("inspect").exit_code in {1, 2, 3}


@pytest.mark.parametrize(
    "arguments", [("fly",), ("predict",), ("predict", "--top-k", "x", "a.png"), ("train", "--arch", "x")]
)
def test_usage_errors_exit_with_2(run: Any, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_the_group_is_what_the_entry_point_runs() -> None:
    assert isinstance(cli, click.Group)
