"""Templates, and names of classes as literals of a language."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling import literals
from edgeconv.bundling.context import slug_of
from edgeconv.bundling.rendering import render, render_folder

LABEL_SETS: dict[str, Sequence[str]] = {
    "one": ["a"],
    "two": ["cat", "dog"],
    "just one line": ["x" * 15] * 4,
    "just too long": ["x" * 15] * 5,
    "a thousand": [f"class number {number}, of a rather long name" for number in range(1000)],
    "quotes": ['"', "'", "\\", "\"'", "a\\'b", '\\"', "`${x}`", "</script>", "%s", "{}", "??/"],
    "controls": ["\n", "\t\r", "\x00\x1f\x7f", "\u2028\u2029", "\ufeff", "\x85"],
    "not ascii": ["Übergröße", "猫", "🦊", "👩‍🚀", "שלום", "é"],
    "empty": [""],
}


def test_tokens_become_values_wherever_they_stand() -> None:
    assert render("xBUNDLE_NAMEy BUNDLE_A_B_c", {"NAME": "n", "A_B": "1"}) == "xny 1_c"


def test_a_value_that_looks_like_a_token_is_left_alone() -> None:
    assert render("BUNDLE_NAME", {"NAME": r"BUNDLE_NAME \1"}) == r"BUNDLE_NAME \1"


def test_a_token_without_a_value_is_a_mistake_in_the_template() -> None:
    with pytest.raises(KeyError, match="ABSENT"):
        render("BUNDLE_ABSENT", {"NAME": "n"})


def test_names_of_files_and_folders_are_rendered_too(tmp_path: Path) -> None:
    (tmp_path / "in" / "BUNDLE_ID").mkdir(parents=True)
    (tmp_path / "in" / "__pycache__").mkdir()
    (tmp_path / "in" / "__pycache__" / "x.pyc").write_bytes(b"\xff")
    (tmp_path / "in" / "BUNDLE_ID" / "BUNDLE_ID_2.txt").write_text("BUNDLE_ID ü\n", encoding="utf-8")
    render_folder(tmp_path / "in", {"ID": "x"}, tmp_path / "out")
    files = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files == ["x/x_2.txt"]
    assert (tmp_path / "out" / "x" / "x_2.txt").read_bytes() == "x ü\n".encode()


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS.keys())
def test_python_literals_hold_the_labels_and_are_formatted_as_ruff_does(labels: Sequence[str]) -> None:
    code = literals.python_tuple("LABELS", labels)
    (assignment,) = ast.parse(code).body
    assert isinstance(assignment, ast.Assign)
    assert ast.literal_eval(assignment.value) == tuple(labels)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", "--stdin-filename", "labels.py", "-"]
    done = subprocess.run(command, input=f"{code}\n", capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS.keys())
def test_c_literals_compile_to_the_labels(labels: Sequence[str], tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    program = (
        "#include <stdio.h>\nstatic const char *const labels[] = {\n"
        f"{literals.c_strings(labels)}\n}};\n"
        "int main(void) { for (size_t i = 0; i < sizeof labels / sizeof *labels; ++i) puts(labels[i]); }\n"
    )
    (tmp_path / "labels.c").write_text(program, encoding="utf-8")
    flags = ["-std=c11", "-trigraphs", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run(["cc", *flags, "-o", str(tmp_path / "labels"), str(tmp_path / "labels.c")], check=True)
    printed = subprocess.run([tmp_path / "labels"], capture_output=True, check=True).stdout
    # C strings end at their first NUL.
    assert printed == b"".join(label.partition("\0")[0].encode() + b"\n" for label in labels)


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS.keys())
def test_javascript_literals_hold_the_labels(labels: Sequence[str]) -> None:
    if shutil.which("node") is None:
        pytest.skip("no node")
    code = literals.javascript_array("const labels = [", labels, "];")
    program = f"{code}\nprocess.stdout.write(JSON.stringify(labels))".encode()
    done = subprocess.run(["node", "-"], input=program, capture_output=True, check=True)
    assert json.loads(done.stdout) == list(labels)


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS.keys())
def test_typescript_unions_name_every_label_once(labels: Sequence[str]) -> None:
    code = literals.typescript_union("export type Label =", [*labels, *labels])
    found = re.findall(r"""\"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", code)
    # The escapes that are used here are the same in Python.
    assert [ast.literal_eval(item) for item in found] == list(dict.fromkeys(labels))


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS.keys())
def test_labels_as_text_are_one_a_line(labels: Sequence[str]) -> None:
    text = "\n".join(map(literals.one_line, labels))
    assert len(text.split("\n")) == len(labels)


@pytest.mark.parametrize(
    ("name", "slug"),
    [("mnist", "mnist"), ("My Model_2", "my-model-2"), ("2 cats", "model-2-cats"), ("--", "model"), ("猫", "model")],
)
def test_slugs_are_names_that_package_managers_take(name: str, slug: str) -> None:
    assert slug_of(name) == slug
