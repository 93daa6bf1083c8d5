"""The table of variants, and that nobody tells them apart by name beside it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from edgeconv.variants import REFERENCE, VARIANTS, best_first, export_command, flag_of, is_int8, takes_pictures

ROOT = Path(__file__).parents[2]
MAKERS = ROOT / "edgeconv" / "conversion" / "variants"


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_has_a_module_that_makes_it(name: str) -> None:
    source = (MAKERS / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    (make,) = [part for part in ast.parse(source).body if isinstance(part, ast.FunctionDef) and part.name == "make"]
    assert [argument.arg for argument in make.args.args] == ["context"]


def test_rows_do_not_collide() -> None:
    rows = list(VARIANTS.values())
    assert len({row.file for row in rows}) == len({flag_of(row) for row in rows}) == len(rows)
    for ranks in ([row.cpu_rank for row in rows], [row.gpu_rank for row in rows]):
        taken = [rank for rank in ranks if rank is not None]
        assert sorted(taken) == sorted(set(taken))


def test_what_a_variant_is_made_from_stands_before_it() -> None:
    names = list(VARIANTS)
    assert names[0] == REFERENCE
    assert VARIANTS[REFERENCE].option is None
    for name in names[1:]:
        assert VARIANTS[name].made_from in names[: names.index(name)]


def test_each_variant_has_a_gate_where_no_image_is_labelled() -> None:
    assert all(row.tolerance for row in VARIANTS.values())


def test_the_best_comes_first() -> None:
    assert best_first(gpu=False) == ["int8", "fp32", "fp16", "e2e"]
    assert best_first(gpu=True) == ["fp32", "fp16", "int8", "e2e"]


def test_what_is_no_variant_takes_what_the_model_takes() -> None:
    assert [name for name in (*VARIANTS, "keras", "int8 on pi4") if takes_pictures(name)] == ["e2e"]
    assert [name for name in (*VARIANTS, "keras", "int8 on pi4") if is_int8(name)] == [
        "int8",
        "int8-fast",
        "int8 on pi4",
    ]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("fp32", "edgeconv export"),
        ("fp16", "edgeconv export --fp16"),
        ("int8-fast", "edgeconv export --quantize --fast"),
        ("e2e", "edgeconv export --embed-preprocessing"),
        ("of a later release", "edgeconv export"),
    ],
)
def test_the_command_that_makes_a_variant(name: str, command: str) -> None:
    assert export_command(name) == command


def _told_apart(source: str) -> list[int]:
    """Return the lines that compare something with the name of a variant, or look for its beginning."""
    # "int8" is a precision too, of layers and of arrays.
    compared = VARIANTS.keys() - {"int8"}
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            parts, names = [node.left, *node.comparators], compared
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            parts, names = node.args, set(VARIANTS)
        else:
            continue
        parts = [entry for part in parts for entry in getattr(part, "elts", [part])]
        if names & {part.value for part in parts if isinstance(part, ast.Constant)}:
            found.append(node.lineno)
    return found


def test_no_room_tells_variants_apart_by_name() -> None:
    for path in sorted([*(ROOT / "edgeconv").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]):
        if "templates" not in path.parts and path.parent != MAKERS:
            lines = _told_apart(path.read_text(encoding="utf-8"))
            assert not lines, f"{path.relative_to(ROOT)}:{lines}: read edgeconv.variants.VARIANTS instead"


def test_telling_apart_is_found() -> None:
    assert _told_apart('if name == "e2e": pass\nif name in {"fp16", "x"}: pass\nname.startswith("int8")\n') == [1, 2, 3]
    assert _told_apart('precision == "int8"\nf("e2e")\n') == []
