"""What all targets share: templates, literals, the self-test's data, pictures, the inventory, and the bundler."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling import bundler, collect, literals
from edgeconv.bundling.bundler import bundle
from edgeconv.bundling.collect import gather
from edgeconv.bundling.context import Facts, slug_of
from edgeconv.bundling.inventory import check_files, inventory_of, read_inventory
from edgeconv.bundling.pictures import draw_pictures
from edgeconv.bundling.rendering import render, render_folder
from edgeconv.bundling.selftest import SelftestSample, Tolerances, encode
from edgeconv.bundling.targets import TARGETS, Target
from edgeconv.errors import (
    ArtifactError,
    ConfigError,
    ManifestError,
    SchemaVersionError,
    UnsupportedModelError,
)
from edgeconv.pictures.digits import center_digit
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.loading import find_files, reference_model

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


def _artifact(source: Path, out: Path, **changes: Any) -> Path:
    """Copy an artifact, with other entries in its manifest."""
    shutil.copytree(source, out)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    (out / "manifest.json").write_text(json.dumps(manifest | changes), encoding="utf-8")
    return out


# Rendering and literals


def test_tokens_become_facts_wherever_they_stand() -> None:
    assert render("xBUNDLE_NAMEy BUNDLE_A_B_c", {"NAME": "n", "A_B": "1"}) == "xny 1_c"


def test_a_fact_that_looks_like_a_token_is_left_alone() -> None:
    assert render("BUNDLE_NAME", {"NAME": r"BUNDLE_NAME \1"}) == r"BUNDLE_NAME \1"


def test_a_token_without_a_fact_is_a_mistake_in_the_template() -> None:
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


# The self-test's data


def test_the_self_test_is_laid_out_as_documented() -> None:
    """Read with struct and numpy only, by the layout in the docstring of `edgeconv.bundling.selftest`."""
    random = np.random.default_rng(0)
    samples = [
        SelftestSample(
            random.integers(0, 256, (*size, channels), np.uint8),
            label,
            random.integers(0, 256, (3, 5, 1), np.uint8),
            random.random(7, np.float32),
        )
        for size, channels, label in [((4, 6), 1, 6), ((1, 1), 3, -1), ((2, 3), 4, 0)]
    ]
    data = encode(samples, Tolerances(1.0, 0.02))
    assert struct.unpack_from("<8s6I", data) == (b"EDGECONV", 1, 3, 7, 3, 5, 1)
    assert struct.unpack_from("<2f", data, 32) == (1.0, pytest.approx(0.02))
    offset = 40
    for sample in samples:
        *shape, label = struct.unpack_from("<3Ii", data, offset)
        assert (tuple(shape), label) == (sample.picture.shape, sample.label)
        offset += 16
        for pixels in (sample.picture, sample.prepared):
            np.testing.assert_array_equal(np.frombuffer(data, np.uint8, pixels.size, offset), pixels.ravel())
            padding = -pixels.size % 4
            assert data[offset + pixels.size : offset + pixels.size + padding] == bytes(padding)
            offset += pixels.size + padding
        np.testing.assert_array_equal(np.frombuffer(data, "<f4", 7, offset), sample.probabilities)
        offset += 28
    assert offset == len(data)


def test_pixels_are_stored_by_rows_whatever_their_order_in_memory() -> None:
    picture = np.asfortranarray(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    sample = SelftestSample(picture, 0, picture[..., :1], np.ones(1, np.float32))
    assert bytes(range(24)) in encode([sample], Tolerances(1.0, 0.02))


# Pictures


@pytest.fixture(scope="module")
def golden() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(Samples.load((reference_model() or Path()) / "samples.npz").images, np.uint8)


@pytest.fixture(scope="module")
def digit() -> Preparation:
    return find_files(reference_model() or Path()).manifest.preprocess or Preparation("digit", 28, 28, 1)


def test_pictures_are_the_same_each_time(golden: Any, digit: Preparation) -> None:
    for first, second in zip(draw_pictures(golden, digit), draw_pictures(golden, digit), strict=True):
        np.testing.assert_array_equal(first, second)


def test_pictures_of_digits_vary_in_size_channels_and_polarity(golden: Any, digit: Preparation) -> None:
    pictures = list(draw_pictures(golden[:16], digit))
    assert len({picture.shape[:2] for picture in pictures}) >= 8
    assert {picture.shape[2] for picture in pictures} == {1, 3, 4}
    assert max(max(picture.shape) for picture in pictures) > 300
    corners_are_bright = {bool(picture[0, 0, 0] > 128) for picture in pictures if picture.shape[2] < 4}
    assert corners_are_bright == {True, False}
    transparent = [picture for picture in pictures if picture.shape[2] == 4]
    assert {bool(picture[0, 0, 0] > 128) for picture in transparent} == {True, False}
    assert all(len(np.unique(picture[..., 3])) > 2 for picture in transparent)


def test_what_is_prepared_of_a_drawn_digit_resembles_it(golden: Any, digit: Preparation) -> None:
    for image, picture in zip(golden[:16], draw_pictures(golden[:16], digit), strict=True):
        prepared = center_digit(picture, digit.height, digit.width, digit.box)
        assert np.corrcoef(prepared.ravel(), image.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_photographs_vary_and_are_all_resampled(channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 10, 16, channels), np.uint8)
    preparation = Preparation("resize", 10, 16, channels)
    pictures = list(draw_pictures(images, preparation))
    assert {picture.shape[2] for picture in pictures} == {1, 3, 4}
    assert len({picture.shape[:2] for picture in pictures}) >= 4
    for picture in pictures:
        assert picture.shape[:2] != (10, 16)
        assert prepare(picture, preparation).shape == (10, 16, channels)


# The inventory


@pytest.fixture
def copied(make_bundle: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(make_bundle("ort"), tmp_path / "copied"))


def _failed(folder: Path) -> dict[str, str]:
    return {check.path: check.problem for check in check_files(folder) if not check.passed}


def _edit(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))


def test_a_bundle_is_as_it_was_made_whatever_is_built_beside_it(copied: Path) -> None:
    (copied / "build").mkdir()
    (copied / "build" / "out.o").write_bytes(b"")
    assert _failed(copied) == {}
    assert {check.path for check in check_files(copied)} == {*inventory_of(copied)} - {"manifest.json", "build/out.o"}


def test_changed_and_absent_files_are_named(copied: Path) -> None:
    (copied / "plain" / "model.ort").write_bytes(b"changed")
    (copied / "README.md").unlink()
    failed = _failed(copied)
    assert failed.keys() == {"README.md", "plain/model.ort"}
    assert failed["README.md"] == "is absent"
    assert failed["plain/model.ort"].startswith("has SHA-256 ")


@pytest.mark.parametrize("path", ["../outside", "/etc/hostname", "plain/../../outside"])
def test_paths_out_of_the_folder_are_not_read(copied: Path, path: str) -> None:
    (copied.parent / "outside").write_text("")
    _edit(copied, files={path: {"size_bytes": 0, "sha256": "0" * 64}})
    assert _failed(copied) == {path: "leaves the bundle's folder"}


@pytest.mark.parametrize("entry", [None, "text", 3, {}, {"sha256": None}, []])
def test_entries_of_another_form_fail(copied: Path, entry: Any) -> None:
    _edit(copied, files={"README.md": entry})
    assert _failed(copied).keys() == {"README.md"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "edgeconv"}, "must be a bundle of schema version 1"),
        ({"schema_version": 2}, "schema_version 2"),
        ({"schema_version": None}, "schema_version None"),
        ({"files": []}, "must be a bundle"),
    ],
)
def test_foreign_and_newer_manifests_are_refused(copied: Path, changes: dict[str, Any], words: str) -> None:
    _edit(copied, **changes)
    with pytest.raises(ArtifactError, match=words):
        read_inventory(copied)


def test_the_contract_inside_a_manifest_is_checked_too(copied: Path) -> None:
    model = read_inventory(copied)["model"]
    _edit(copied, model=model | {"schema_version": 99})
    with pytest.raises(SchemaVersionError, match="99"):
        read_inventory(copied)
    _edit(copied, model={})
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        read_inventory(copied)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such file"):
        check_files(tmp_path)


# The bundler


def test_every_target_is_registered() -> None:
    assert list(TARGETS) == ["python", "node", "web", "c", "triton", "ort"]


@pytest.mark.parametrize("target", TARGETS)
def test_every_bundle_is_complete_and_says_what_it_is(target: str, make_bundle: Callable[[str], Path]) -> None:
    made = make_bundle(target)
    assert {"README.md", "LICENSES.md", "manifest.json"} <= {path.name for path in made.iterdir()}
    inventory = read_inventory(made)
    assert (inventory["target"], inventory["name"], inventory["variant"]) == (target, "mnist-reference", "int8")
    assert set(inventory["files"]) == set(inventory_of(made)) - {"manifest.json"}
    assert all(check.passed for check in check_files(made))
    assert list(made.rglob("selftest.bin"))


@pytest.mark.parametrize("target", TARGETS)
def test_no_template_shows_in_a_bundle(target: str, make_bundle: Callable[[str], Path]) -> None:
    for path in make_bundle(target).rglob("*"):
        assert "BUNDLE_" not in path.name
        if path.is_file():
            residue = re.findall(rb"BUNDLE_[A-Z_]+", path.read_bytes())
            assert not residue, f"{path.name}: {residue}"


@pytest.mark.parametrize("target", TARGETS)
def test_equal_inputs_give_equal_bytes(target: str, make_bundle: Callable[[str], Path], tmp_path: Path) -> None:
    again = bundle(reference_model(), target=target, out=tmp_path / "elsewhere" / "again").path
    first, second = (
        {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*") if path.is_file()}
        for made in (make_bundle(target), again)
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.parametrize("target", TARGETS)
def test_any_labels_and_any_name_can_be_bundled(target: str, tiny: Path, tmp_path: Path) -> None:
    labels = ['"quo\\ted"', "Über\nGröße " + "x" * 100, "🦊 */ --> ??/ </script>"]
    source = _artifact(tiny, tmp_path / "source", labels=labels, name='My "Model" */ 2\n')
    made = bundle(source, target=target, out=tmp_path / "made").path
    assert all(check.passed for check in check_files(made))
    for path in made.rglob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"))
    for path in made.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("content", ["file", "hidden", "a file itself"])
def test_a_folder_with_files_in_it_is_left_alone(content: str, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if content == "a file itself":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / (".hidden" if content == "hidden" else "file")).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match="`out` must be a folder that is absent or empty"):
        bundle(tiny, target="python", out=out)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_filled(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert (bundle(tiny, target="python", out=tmp_path / "out").path / "manifest.json").is_file()


def test_nothing_is_left_behind_when_a_step_fails(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, facts: Facts) -> dict[str, str]:
        (folder / "half").write_text("half")
        raise OSError("disk full")

    monkeypatch.setitem(TARGETS, "failing", Target("python", write=fail))
    with pytest.raises(OSError, match="disk full"):
        bundle(tiny, target="failing", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_named_by_the_model_and_the_target(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert bundle(_artifact(tiny, tmp_path / "source", name="My Tiny"), target="ort").path == Path("my-tiny-ort")
    assert (tmp_path / "my-tiny-ort" / "manifest.json").is_file()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes where nobody may")
def test_a_bundle_is_made_from_a_folder_that_cannot_be_written(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    monkeypatch.chdir(tmp_path / "closed")
    assert bundle(tiny.resolve(), target="python", out=tmp_path / "out").path.is_dir()


def test_nothing_is_written_into_the_working_directory(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for target in TARGETS:
        bundle(tiny.resolve(), target=target, out=tmp_path / "out" / target)
    assert list((tmp_path / "here").iterdir()) == []
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(TARGETS)


def test_an_unknown_target_is_named_with_the_known_ones(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"one of python, node, web, c, triton, ort\. Received: 'java'"):
        bundle(tiny, target="java", out=tmp_path / "out")


def test_a_missing_variant_is_named_with_those_that_are_there(tiny: Path, tmp_path: Path) -> None:
    manifest = json.loads((tiny / "manifest.json").read_text())
    variants = {name: variant for name, variant in manifest["variants"].items() if name == "fp32"}
    source = _artifact(tiny, tmp_path / "source", variants=variants)
    with pytest.raises(ArtifactError, match=r"must hold the variant int8\. Received: fp32"):
        bundle(source, target="python", out=tmp_path / "out", variant="int8")
    assert read_inventory(bundle(source, target="python", out=tmp_path / "out").path)["variant"] == "fp32"


def test_a_model_without_preparation_is_refused(tiny: Path, tmp_path: Path) -> None:
    source = _artifact(tiny, tmp_path / "source", preprocess=None)
    with pytest.raises(ArtifactError, match="must say how pixels become its input"):
        bundle(source, target="python", out=tmp_path / "out")


def test_a_model_without_golden_vectors_is_refused(tiny: Path, tmp_path: Path) -> None:
    source = _artifact(tiny, tmp_path / "source")
    (source / "samples.npz").unlink()
    with pytest.raises(ArtifactError, match="with fp32 and golden vectors"):
        bundle(source, target="python", out=tmp_path / "out")
    with pytest.raises(ArtifactError, match="with fp32 and golden vectors"):
        bundle(tiny / "model.onnx", target="python", out=tmp_path / "out")


def test_a_graph_that_prepares_otherwise_than_python_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def darker(picture: Any, preparation: Preparation) -> Any:
        return np.asarray(prepare(picture, preparation) // 2, np.uint8)

    monkeypatch.setattr(collect, "prepare", darker)
    with pytest.raises(UnsupportedModelError, match="must prepare pictures in ONNX as in Python, within 1 grey level"):
        gather(find_files(reference_model() or Path()), None)


class _Faithful:
    """A model that answers every sample as the reference does."""

    def __init__(self, samples: Sequence[SelftestSample]) -> None:
        self.waiting = list(samples)

    def answer(self, picture: np.ndarray) -> Any:
        sample = self.waiting.pop(0)
        assert picture is sample.picture
        return sample


def test_tolerances_shrink_where_no_answer_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    files = find_files(reference_model())
    facts = gather(files, None)
    unsure = [replace(sample, probabilities=np.full(1000, 0.001, np.float32)) for sample in facts.samples]
    for samples, expected in ((unsure, 0.02 * 0.002), (list(facts.samples), 0.02)):
        monkeypatch.setattr(collect, "EmbeddedModel", lambda _, samples=samples: _Faithful(samples))
        assert collect._tolerances(b"", tuple(samples), files).probabilities == pytest.approx(expected)


def test_a_model_that_answers_otherwise_than_its_reference_is_not_bundled() -> None:
    files = find_files(reference_model())
    facts = gather(files, None)
    others = tuple(replace(sample, probabilities=sample.probabilities[::-1]) for sample in facts.samples)
    with pytest.raises(UnsupportedModelError, match=r"as its fp32 does, within 0\.2 .* Bundle `--variant fp32`"):
        collect._tolerances(facts.embedded, others, files)


def test_tolerances_leave_room_for_what_was_measured() -> None:
    facts = gather(find_files(reference_model() or Path()), "int8")
    assert facts.tolerances.prepared == 1.0
    assert 0.02 <= facts.tolerances.probabilities < 0.1
    assert {sample.label for sample in facts.samples} == set(range(10))


def test_the_steps_are_told(tiny: Path, tmp_path: Path) -> None:
    class Listener(type(bundler.SILENT)):  # type: ignore[misc]
        def __init__(self) -> None:
            self.said: list[str] = []

        def say(self, message: str) -> None:
            self.said.append(message)

    listener = Listener()
    bundle(tiny, target="c", out=tmp_path / "out", progress=listener)
    assert listener.said == [f"Model: {tiny}", "Bundling int8 for c"]
