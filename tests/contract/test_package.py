"""The face of the package, and how it is installed."""

from __future__ import annotations

import subprocess
import sys
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


def test_every_public_name_opens() -> None:
    pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
    import edgeconv

    for name in edgeconv.__all__:
        assert getattr(edgeconv, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        edgeconv.nothing  # noqa: B018


def test_every_package_is_installed() -> None:
    """What a checkout has and `setup.py` does not find would be missing from the wheel."""
    from setuptools import find_packages

    found = set(find_packages(str(ROOT), include=["edgeconv", "edgeconv.*"]))
    folders = {path.parent for path in (ROOT / "edgeconv").rglob("*.py") if "templates" not in path.parts}
    assert found == {".".join(folder.relative_to(ROOT).parts) for folder in folders}
