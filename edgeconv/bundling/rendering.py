"""Templates: files in their own language, in which `BUNDLE_SOMETHING` stands for something about the model.

A token is an identifier, so that a template is a file of its language, and can be read and highlighted as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

# GUARD is the only one that stands before more capitals: BUNDLE_GUARD_CLASSES.
_TOKEN = re.compile(r"BUNDLE_(GUARD(?=_)|[A-Z][A-Z_]*[A-Z])")


def render(text: str, values: Mapping[str, str]) -> str:
    """Replace tokens by their values.

    Args:
        text: a template, or the name of one.
        values: what stands for each token, by name, without `BUNDLE_`.

    Raises:
        KeyError: a token has no value: a mistake in the template.

    Example:
        >>> render("BUNDLE_NAME has BUNDLE_CLASSES classes", {"NAME": "mnist", "CLASSES": "10"})
        'mnist has 10 classes'
    """
    return _TOKEN.sub(lambda token: values[token[1]], text)


def render_folder(templates: Path, values: Mapping[str, str], out: Path) -> None:
    """Render every file below `templates` into the same place below `out`; names are templates too."""
    for path in _files(templates):
        place = out / render(str(path.relative_to(templates)), values)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(render(path.read_text(encoding="utf-8"), values), encoding="utf-8")


def render_parts(folders: Iterable[Path], parts: Iterable[str], values: Mapping[str, str], out: Path) -> None:
    """Render the parts that each folder has, in turn; a file replaces one of the same place of a part before it.

    Args:
        folders: of templates, each with a folder for each part that it has.
        parts: their names; files of another part are left out.
        values: what stands for each token.
        out: the folder to render into.
    """
    for folder in folders:
        for part in parts:
            render_folder(folder / part, values, out)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
