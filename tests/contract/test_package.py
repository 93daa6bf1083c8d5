"""The face of the package, and how it is installed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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


@pytest.mark.train
def test_every_public_name_opens() -> None:
    pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
    import edgeconv

    assert {"Predictor", "Score", "ConfigError", "ParityError", "Progress"} <= set(edgeconv.__all__)
    for name in edgeconv.__all__:
        assert getattr(edgeconv, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        edgeconv.nothing  # noqa: B018


def test_the_version_is_that_of_the_installed_package() -> None:
    import edgeconv

    assert edgeconv.__version__ == version("edgeconv")


def test_a_name_of_the_stub_is_said_to_be_public() -> None:
    """Type checkers take `import x as x` for public, and nothing else; a line holds one name."""
    lines = (ROOT / "edgeconv" / "__init__.pyi").read_text(encoding="utf-8").splitlines()
    imports = [line for line in lines if "import" in line]
    assert imports
    assert all(re.fullmatch(r"from edgeconv\.[\w.]+ import (\w+) as \1", line) for line in imports)


CAUGHT_INSIDE = {
    "RequestError",
    "ClientGoneError",
    "Untranslatable",
    "EmulationError",
    "ChildTraceback",
    "_EnoughError",
    "_MismatchError",
    "MetadataError",
}
"""What no caller of ours sees."""


def _is_error(base: ast.expr) -> bool:
    return ast.unparse(base).endswith(("Error", "Exception"))


def test_every_class_that_is_raised_is_public() -> None:
    import edgeconv

    sources = [path for path in (ROOT / "edgeconv").rglob("*.py") if "templates" not in path.parts]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sources]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    raised = {node.name for node in classes if any(map(_is_error, node.bases))}
    assert len(raised) > 15
    assert raised - CAUGHT_INSIDE <= set(edgeconv.__all__)


def test_every_package_is_installed() -> None:
    """What a checkout has and `setup.py` does not find would be missing from the wheel."""
    from setuptools import find_packages

    found = set(find_packages(str(ROOT), include=["edgeconv", "edgeconv.*"]))
    folders = {path.parent for path in (ROOT / "edgeconv").rglob("*.py") if "templates" not in path.parts}
    assert found == {".".join(folder.relative_to(ROOT).parts) for folder in folders}
