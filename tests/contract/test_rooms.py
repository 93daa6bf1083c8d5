"""The walls between the rooms: what each may import, inside of functions too."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LIBRARIES = {
    "edgeconv": set[str](),
    "contract": {"numpy", "rich"},
    "pictures": {"numpy", "PIL"},
    "datasets": {"numpy", "mlxtend"},
    "training": {"numpy", "keras", "tensorflow", "matplotlib"},
    "runtime": {"numpy", "onnxruntime"},
    "benchmarking": {"numpy", "onnxruntime"},
    "diagnosis": {"numpy", "onnxruntime"},
    "parity": {"numpy", "PIL", "jinja2"},
    "conversion": {"numpy", "onnx", "onnx_ir", "onnxruntime", "google"},
    "inspection": {"numpy", "onnx"},
    "bundling": {"numpy", "onnxruntime", "flatbuffers", "ort_flatbuffers_py", "model_signing", "playwright", "google"},
    "serving": {"numpy", "msgspec", "starlette", "uvicorn", "prometheus_client", "grpc", "tritonclient"},
    "evaluation": {"numpy", "onnxruntime"},
    "cli": {"click", "rich"},
}
"""Packages besides the standard library that the modules of a room may import."""

KERAS = ("conversion/keras/", "conversion/tracing/", "conversion/explanation/recording.py")
"""What of the conversion may import Keras, TensorFlow, tf2onnx and h5py, inside of functions only."""

OF_KERAS = {"keras", "tf_keras", "tensorflow", "tf2onnx", "h5py", "google"}

ROOMS = {
    "contract": set[str](),
    "pictures": {"contract"},
    "datasets": {"contract", "pictures"},
    "training": {"contract", "pictures", "datasets"},
    "runtime": {"contract", "pictures"},
    "benchmarking": {"contract", "datasets", "pictures", "runtime"},
    "diagnosis": {"contract", "runtime"},
    "parity": {"contract", "pictures", "runtime"},
    "conversion": {"contract", "datasets", "parity", "pictures", "runtime"},
    "inspection": {"contract", "conversion", "runtime"},
    "bundling": {"contract", "pictures", "runtime"},
    "serving": {"bundling", "contract", "pictures", "runtime"},
    "evaluation": {"bundling", "contract", "conversion", "datasets", "parity", "runtime"},
}
"""The rooms that a room may import; `cli` and the face of the package open any, when they are asked to."""

EXCEPTIONS = {
    ("bundling", "edgeconv.conversion.variants.e2e"): "an artifact exported without e2e gets it when it is bundled",
    ("bundling", "edgeconv.conversion.int8.unsigned_weights"): "a bundle's int8 is right where no option can be set",
}
"""Imports across a wall, by room and module, each with its reason."""


@dataclass(frozen=True)
class Import:
    """One import of one module: its file, what it imports, and whether it does when it is imported itself."""

    path: Path
    module: str
    at_once: bool

    @property
    def room(self) -> str:
        parts = self.path.relative_to(ROOT).parts
        if parts[0] == "cli":
            return "cli"
        return parts[1] if len(parts) > 2 else "edgeconv" if parts[1] == "__init__.py" else "contract"

    @property
    def target(self) -> str:
        """The room of ours that is imported, or the package of others."""
        first, _, rest = self.module.partition(".")
        if first != "edgeconv":
            return first
        room = rest.partition(".")[0]
        return room if room in LIBRARIES else "contract"


def imports_of(path: Path, source: str) -> Iterator[Import]:
    """Yield the absolute imports of a module, those for type checkers included."""

    def visit(node: ast.AST, at_once: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(path, alias.name, at_once) for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.level == 0 and child.module:
                own = child.module == "edgeconv"
                names = [f"edgeconv.{alias.name}" for alias in child.names] if own else [child.module]
                yield from (Import(path, name, at_once) for name in names)
            else:
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
                yield from visit(child, at_once and not inside and not typing)

    yield from visit(ast.parse(source), True)


def modules() -> list[Path]:
    """Return our own modules; the templates of bundles are the code of others."""
    found = sorted([*(ROOT / "edgeconv").rglob("*.py"), *(ROOT / "cli").rglob("*.py")])
    return [path for path in found if "templates" not in path.parts]


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    found = [entry for path in modules() for entry in imports_of(path, path.read_text(encoding="utf-8"))]
    return [entry for entry in found if entry.target not in sys.stdlib_module_names and entry.target != entry.room]


@pytest.mark.parametrize("room", LIBRARIES)
def test_a_room_imports_what_it_may(room: str, imports: list[Import]) -> None:
    own = [entry for entry in imports if entry.room == room]
    for entry in own:
        where = f"{entry.path.relative_to(ROOT)} may not import {entry.module}"
        if entry.target in LIBRARIES:
            open_rooms = ROOMS.get(room, LIBRARIES.keys() if not entry.at_once else set())
            assert entry.target in open_rooms or (room, entry.module) in EXCEPTIONS, where
        else:
            inside = entry.path.relative_to(ROOT / "edgeconv").as_posix() if room != "cli" else ""
            opened = OF_KERAS if inside.startswith(KERAS) and not entry.at_once else set()
            assert entry.target in LIBRARIES[room] | opened, where
    assert own or room in {"contract", "edgeconv"}


def test_each_exception_is_needed(imports: list[Import]) -> None:
    crossing = [entry for entry in imports if entry.room in ROOMS and entry.target in LIBRARIES]
    assert set(EXCEPTIONS) == {
        (entry.room, entry.module) for entry in crossing if entry.target not in ROOMS[entry.room]
    }


def test_rooms_stand_on_one_another() -> None:
    """No circle: each room stands above all that it may import."""
    placed: set[str] = set()
    for room, below in ROOMS.items():
        assert below <= placed, f"{room} is listed before a room that it imports"
        placed.add(room)


def test_imports_are_found() -> None:
    source = "import onnx\nif TYPE_CHECKING:\n    import keras\ndef f():\n    from edgeconv import errors\n"
    found = list(imports_of(ROOT / "edgeconv" / "runtime" / "session.py", source))
    assert [(entry.module, entry.at_once) for entry in found] == [
        ("onnx", True),
        ("keras", False),
        ("edgeconv.errors", False),
    ]
    assert [entry.target for entry in found] == ["onnx", "keras", "contract"]
    assert {entry.room for entry in found} == {"runtime"}


def test_each_room_says_what_it_is() -> None:
    for room in ROOMS.keys() - {"contract"}:
        text = (ROOT / "edgeconv" / room / "__init__.py").read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), room


def test_files_are_short() -> None:
    for path in modules():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 300, f"{path} has {lines} lines: one idea a file"
