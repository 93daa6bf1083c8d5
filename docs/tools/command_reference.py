"""A hook of mkdocs: the options of each command, read from the command itself when the site is built.

A page asks for the options of a command by ``<!-- options: NAME -->``.
"""

from __future__ import annotations

import re
from typing import Any

import click

from edgeconv.cli.main import cli

MARKER = re.compile(r"<!-- options: (\w+) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page's Markdown with a table in place of each marker."""
    return MARKER.sub(lambda match: options_of(match[1]), markdown)


def options_of(name: str) -> str:
    """Return the usage and the options of a command as Markdown.

    Raises:
        ValueError: there is no command of that name.
    """
    context = click.Context(cli, info_name="edgeconv")
    command = cli.get_command(context, name)
    if command is None:
        raise ValueError(f"`options: {name}` must name a command. Received: none of {cli.list_commands(context)}.")
    own = click.Context(command, info_name=name, parent=context)
    rows = [_row(option, own) for option in command.params if isinstance(option, click.Option) and not option.hidden]
    return "\n".join([f"```text\n{command.get_usage(own)}\n```", "", "| option | | default |", "|---|---|---|", *rows])


def _row(option: click.Option, context: click.Context) -> str:
    names, _ = option.get_help_record(context) or ("", "")
    default = f"`{option.default}`" if option.show_default and option.default is not None else ""
    text = (option.help or "").replace("|", "\\|")  # A bar ends a cell, but not inside of code.
    return f"| `{names}` | {text} | {default} |"
