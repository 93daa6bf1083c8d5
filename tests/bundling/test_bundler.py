"""Every target makes a complete bundle, whole or not at all."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling import bundler, collect
from edgeconv.bundling.bundler import bundle
from edgeconv.bundling.collect import collect_context
from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.inventory import check_files, inventory_of, read_inventory
from edgeconv.bundling.targets import TARGETS, BundleTarget
from edgeconv.errors import (
    ArtifactError,
    ConfigError,
    UnsupportedModelError,
)
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import reference_model


def _artifact(source: Path, out: Path, **changes: Any) -> Path:
    """Copy an artifact, with other entries in its manifest."""
    shutil.copytree(source, out)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    (out / "manifest.json").write_text(json.dumps(manifest | changes), encoding="utf-8")
    return out


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
    def fail(folder: Path, context: BundleContext) -> dict[str, str]:
        (folder / "half").write_text("half")
        raise OSError("disk full")

    monkeypatch.setitem(TARGETS, "failing", BundleTarget("python", write=fail))
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
        collect_context(read_files(reference_model() or Path()), None)


def test_the_steps_are_told(tiny: Path, tmp_path: Path) -> None:
    class Listener(type(bundler.SILENT)):  # type: ignore[misc]
        def __init__(self) -> None:
            self.said: list[str] = []

        def say(self, message: str) -> None:
            self.said.append(message)

    listener = Listener()
    bundle(tiny, target="c", out=tmp_path / "out", progress=listener)
    assert listener.said == [f"Model: {tiny}", "Bundling int8 for c"]
