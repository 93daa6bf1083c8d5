"""Each command, option and public name is in the documentation."""

from __future__ import annotations

import re

import click
import pytest

import edgeconv
from command_reference import on_page_markdown, options_of
from edgeconv.cli.main import COMMANDS, cli
from tests.pages import DOCS

PAGE = (DOCS / "command-line.md").read_text(encoding="utf-8")
API = (DOCS / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_section_with_an_example_and_all_of_its_options(name: str) -> None:
    section = on_page_markdown(PAGE).partition(f"\n## edgeconv {name}\n")[2].partition("\n## ")[0]
    assert f"$ edgeconv {name}" in section
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert options
    for option in options:
        assert re.search(rf"^\| `.*{option.opts[-1]}\b.*` \| \S", section, re.MULTILINE), option.opts


def test_the_commands_are_in_the_order_in_which_a_model_goes_through_them() -> None:
    assert re.findall(r"^## edgeconv (\w+)$", PAGE, re.MULTILINE) == list(COMMANDS)


def test_the_options_of_the_program_itself_are_named() -> None:
    for option in (option for option in cli.params if isinstance(option, click.Option)):
        assert f"edgeconv {option.opts[0]}" in PAGE


def test_the_exit_codes_are_those_of_the_program() -> None:
    from edgeconv.cli import main

    codes = {0, main.FAILED, main.USAGE, main.GATE_FAILED, main.INTERRUPTED}
    table = PAGE.partition("| exit code |")[2].partition("\n\n")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == codes


def test_a_command_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"`options: fly` must name a command. Received: none of \['train', "):
        options_of("fly")


def test_a_bar_in_an_option_does_not_end_its_cell() -> None:
    rows = [line for line in options_of("predict").splitlines() if line.startswith("| `--variant ")]
    assert len(rows) == 1
    assert re.fullmatch(r"\| `--variant \[[\w|-]+\]` \| .* \| .*\|", rows[0])


def test_every_public_name_is_described() -> None:
    described = set(re.findall(r"^::: edgeconv\.(\w+)$", API, re.MULTILINE))
    assert described == {name for name in edgeconv.__all__ if not name.startswith("__")}


def test_the_tree_of_errors_is_that_of_the_classes() -> None:
    tree = API.partition("```text\n")[2].partition("```")[0]
    parents: dict[int, str] = {}
    for line in tree.splitlines():
        match = re.match(r"([│├└─ ]*)(\w+)", line)
        assert match is not None
        depth, name = len(match[1]) // 4, match[2]
        parents[depth] = name
        if depth:
            assert issubclass(getattr(edgeconv, name), getattr(edgeconv, parents[depth - 1])), name
    drawn = set(re.findall(r"\w+Error\b", tree)) - {"ValueError", "ImportError"}
    assert drawn == {name for name in edgeconv.__all__ if name.endswith("Error")}
