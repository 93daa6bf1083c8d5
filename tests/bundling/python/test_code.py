"""The code of the bundle `python`: what it imports, and its form."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import variations
from tests.linting import check_python


def test_only_what_the_requirements_name_is_imported(make_bundle: Any) -> None:
    folder = make_bundle("python")
    nodes = [node for file in (folder / "model").glob("*.py") for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"numpy", "onnxruntime", "PIL"}
    required = re.findall(r"^[a-z]+", (folder / "requirements.txt").read_text(), re.MULTILINE)
    assert required == ["numpy", "onnxruntime", "pillow"]


def test_nothing_of_edgeconv_is_loaded_by_an_app(copy: Path) -> None:
    app = "import sys; sys.path.insert(0, '.'); import model; model.Model(); print('edgeconv' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", app], cwd=copy, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_prediction_leaves_no_file_in_the_home_folder(copy: Path, seven: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-E", "predict.py", str(seven)]
    subprocess.run(command, cwd=copy, capture_output=True, check=True, env={**environment, "HOME": str(home)})
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("labels", variations.LABELS)
def test_any_names_of_classes_are_written_as_ruff_would(labels: str, tmp_path: Path) -> None:
    file = variations.render("python", tmp_path, labels=variations.LABELS[labels]) / "model" / "contract.py"
    check_python(file)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = [
        node.value for node in tree.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "LABELS"
    ]
    assert [ast.literal_eval(value) for value in found] == [variations.LABELS[labels]]


@pytest.mark.parametrize("name", variations.NAMES)
def test_any_name_of_a_model_leaves_the_code_valid(name: str, tmp_path: Path) -> None:
    check_python(variations.render("python", tmp_path / "made", name=name))
