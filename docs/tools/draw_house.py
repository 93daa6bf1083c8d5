"""The pictures of the packages and a sentence for each, from the code: `make house` writes them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from drawing import draw
from layered import Edge
from tests.contract.test_rooms import Import, imports_of, modules
from tests.pages import line, write_between

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "edgeconv"
CONVERSION = LIBRARY / "conversion"
PAGE = ROOT / "docs" / "architecture.md"
IMAGES = ROOT / "docs" / "images"

FRAMEWORKS = {"keras", "tensorflow", "tf2onnx", "onnx", "onnx_ir", "onnxruntime", "numpy", "PIL", "jinja2", "h5py"}
"""Packages of others that a box names."""


def main() -> None:
    """Write the pictures, and the tables of the page."""
    for name, text in pictures().items():
        (IMAGES / name).write_text(text, encoding="utf-8")
    for name, text in tables().items():
        write_between(PAGE, name, text)


def pictures() -> dict[str, str]:
    """Return the text of each SVG by its file's name."""
    found = [entry for path in modules() for entry in imports_of(path, path.read_text(encoding="utf-8"))]
    own = [entry for entry in found if _is_package(LIBRARY, entry.room)]
    inside = [(_part(entry), entry) for entry in own if entry.room == "conversion"]
    contract = sorted(path.stem for path in LIBRARY.glob("*.py") if path.stem != "__init__")
    return {
        "house.svg": draw(
            Counter(
                (entry.room, entry.target)
                for entry in own
                if entry.target != entry.room and _is_package(LIBRARY, entry.target)
            ),
            _used((entry.room, entry) for entry in own),
            roof=("cli", "the commands; each imports its package when it is called"),
            ground=("the contract: modules that every package may import", " · ".join(contract)),
        ),
        "conversion.svg": draw(
            _without_implied(
                Counter((part, end) for part, entry in inside if (end := _imported_part(entry)) not in {"", part})
            ),
            _used(inside),
        ),
    }


def tables() -> dict[str, str]:
    """Return a table of packages and their sentences for each folder, by the name of its markers."""
    return {"rooms": _table(LIBRARY), "conversion": _table(CONVERSION)}


def _is_package(folder: Path, name: str) -> bool:
    return (folder / name / "__init__.py").is_file()


def _part(entry: Import) -> str:
    """Return the package of the conversion that an import stands in; a loose module counts as one."""
    return entry.path.relative_to(CONVERSION).parts[0].removesuffix(".py")


def _imported_part(entry: Import) -> str:
    """Return the package or loose module of the conversion that is imported, or nothing."""
    first, second, third, *_ = [*entry.module.split("."), "", "", ""]
    return third if (first, second) == ("edgeconv", "conversion") else ""


def _used(entries: Iterable[tuple[str, Import]]) -> dict[str, set[str]]:
    """Return the packages of others that each box imports."""
    used: dict[str, set[str]] = {}
    for box, entry in entries:
        name = entry.module.partition(".")[0]
        used.setdefault(box, set()).update({name} & FRAMEWORKS)
    return used


def _without_implied(weights: Counter[Edge]) -> Counter[Edge]:
    """Return the edges without those that a longer path stands for."""
    kept = weights.copy()
    for edge in sorted(weights):  # One by one: in a cycle, two edges may stand for each other.
        if _leads(kept.keys() - {edge}, *edge):
            del kept[edge]
    return kept


def _leads(edges: Iterable[Edge], start: str, end: str) -> bool:
    """Tell whether there is a path from one node to another."""
    edges, seen, open_nodes = set(edges), {start}, [start]
    while open_nodes:
        node = open_nodes.pop()
        for below in {b for a, b in edges if a == node} - seen:
            seen.add(below)
            open_nodes.append(below)
    return end in seen - {start}


def _table(folder: Path) -> str:
    rows = [
        line([f"`{path.parent.name}/`", sentence])
        for path in sorted(folder.glob("*/__init__.py"))
        if (sentence := _sentence(path))
    ]
    return "\n".join(["| package | what it is for |", "|---|---|", *rows])


def _sentence(path: Path) -> str:
    """Return the first paragraph of a package's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())


if __name__ == "__main__":
    main()
