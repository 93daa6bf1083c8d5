"""The walls between the rooms: what each may import, by its source and by what a process really loads."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HALL = {"numpy", "edgeconv"}
OPEN_ROOMS = {
    "bundling": {"onnxruntime", *HALL},
    "training": {"keras", "tensorflow", *HALL},
    "conversion": {"onnx", "onnx_ir", "onnxruntime", *HALL},
    "runtime": {"onnxruntime", *HALL},
    "cli": {"click"},
}
"""Top-level packages besides the standard library that a room's modules may import when they are imported."""

CLOSED_PARTS = {
    "hall": {"edgeconv.training", "edgeconv.conversion", "edgeconv.runtime", "edgeconv.bundling", "edgeconv.cli"},
    "training": {"edgeconv.conversion", "edgeconv.runtime", "edgeconv.bundling", "edgeconv.cli"},
    "conversion": {"edgeconv.training", "edgeconv.bundling", "edgeconv.cli"},
    "bundling": {"edgeconv.training", "edgeconv.conversion", "edgeconv.cli", "onnxruntime.quantization"},
    "runtime": {
        "edgeconv.training",
        "edgeconv.conversion",
        "edgeconv.bundling",
        "edgeconv.cli",
        "onnxruntime.quantization",
    },
    "cli": {"edgeconv"},
}
"""Parts of these that stay closed to it."""

OPEN_KERAS = ("keras_models/", "rewrites/", "tracing/", "explanation/recording.py")
"""What of the conversion may import Keras, TensorFlow and tf2onnx, inside of functions."""


def _room(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    second = path.relative_to(ROOT).parts[1] if first == "edgeconv" else ""
    return "cli" if first == "cli" else second if second in OPEN_ROOMS else "hall"


def _imports(body: list[ast.stmt]) -> set[str]:
    """Return the absolute imports that run when a module does: all but those in functions and for type checkers."""
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.level == 0 and statement.module:
            found |= {statement.module, *(f"{statement.module}.{alias.name}" for alias in statement.names)}
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            found |= _imports(statement.orelse)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for name in ("body", "orelse", "finalbody"):
                found |= _imports(getattr(statement, name, []))
    return found


def _modules() -> list[Path]:
    """Return our own modules; the templates of bundles are the code of others."""
    found = sorted([*(ROOT / "edgeconv").rglob("*.py"), *(ROOT / "cli").rglob("*.py")])
    return [path for path in found if "templates" not in path.parts]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_what_its_room_may(path: Path) -> None:
    room = _room(path)
    allowed = OPEN_ROOMS.get(room, HALL) | ({"PIL"} if path == ROOT / "edgeconv" / "images.py" else set())
    for name in _imports(ast.parse(path.read_text(encoding="utf-8")).body):
        top = name.partition(".")[0]
        assert top in allowed or top in sys.stdlib_module_names, f"{room} may not import {name}"
        closed = {part for part in CLOSED_PARTS[room] if name == part or name.startswith(f"{part}.")}
        assert not closed, f"{room} may not import {name}"


def test_the_walls_are_looked_at() -> None:
    rooms = {_room(path) for path in _modules()}
    assert rooms == {"hall", *OPEN_ROOMS}
    tree = ast.parse("import onnx\nif TYPE_CHECKING:\n    import keras\ndef f():\n    import tensorflow\n")
    assert _imports(tree.body) == {"onnx"}


def test_a_part_of_the_conversion_opens_keras() -> None:
    room = ROOT / "edgeconv" / "conversion"
    opened = set()
    for path in room.rglob("*.py"):
        names = {
            alias.name if isinstance(node, ast.Import) else (node.module or "")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        if any(name.partition(".")[0] in {"keras", "tensorflow", "tf2onnx"} for name in names):
            inside = path.relative_to(room).as_posix()
            opened |= {part for part in OPEN_KERAS if inside.startswith(part)} or {inside}
    assert opened == set(OPEN_KERAS)


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import edgeconv", {"tensorflow", "keras", "onnx", "onnxruntime", "numpy", "PIL"}),
        ("import edgeconv; edgeconv.Predictor", {"tensorflow", "keras", "onnx", "onnxruntime.quantization", "rich"}),
        pytest.param(
            "import edgeconv; edgeconv.export",
            {"tensorflow", "keras", "onnx", "onnxruntime", "rich"},
            marks=pytest.mark.train,
        ),
        ("import edgeconv.cli.main", {"tensorflow", "keras", "onnx", "onnxruntime", "numpy", "PIL", "rich"}),
        (
            "import sys; sys.argv = ['edgeconv', '--help']; from edgeconv.cli.main import main\n"
            "try: main()\nexcept SystemExit: pass",
            {"tensorflow", "keras", "onnx", "onnxruntime", "numpy", "PIL", "rich"},
        ),
        (
            f"import sys; sys.argv = ['edgeconv', 'predict', '--model', r'{ROOT / 'tests' / 'data' / 'tiny'}', "
            f"r'{ROOT / 'tests' / 'data' / 'seven.png'}']; from edgeconv.cli.main import main\n"
            "try: main()\nexcept SystemExit as done: assert not done.code",
            {"tensorflow", "keras", "onnx", "onnxruntime.quantization", "rich"},
        ),
    ],
)
def test_a_process_loads_no_more_than_it_needs(statement: str, absent: set[str]) -> None:
    """Starts a process, half a second, away from the sources: the installed package is meant."""
    code = f"{statement}\nimport sys; print('LOADED', *sorted({absent!r} & set(sys.modules)))"
    away = ROOT / "tests" / "data"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=away)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_no_package_of_ours_is_called_cli() -> None:
    """Starts a process, away from the folder that has a `cli/`."""
    code = "import importlib.util as i; print(i.find_spec('cli'), i.find_spec('edgeconv.cli') is not None)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "tests" / "data"
    )
    assert done.stdout.split() == ["None", "True"]


def test_no_function_shares_its_name_with_a_module_of_its_package() -> None:
    import edgeconv

    modules = {path.stem for path in (ROOT / "edgeconv").iterdir()}
    assert not modules & set(edgeconv.__all__)


def test_every_public_name_opens() -> None:
    pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
    import edgeconv

    for name in edgeconv.__all__:
        assert getattr(edgeconv, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        edgeconv.nothing  # noqa: B018


def test_files_are_short() -> None:
    for path in _modules():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 300, f"{path} has {lines} lines: one idea a file"


def test_every_package_is_installed() -> None:
    """A package that `pyproject.toml` does not list works in a checkout, and is missing from the wheel."""
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"])
    folders = {path.parent for path in (ROOT / "edgeconv").rglob("__init__.py")}
    found = {".".join(folder.relative_to(ROOT).parts) for folder in folders if "templates" not in folder.parts}
    assert listed == found | {"edgeconv.cli", "edgeconv.reference"}
