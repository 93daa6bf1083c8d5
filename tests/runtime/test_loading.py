"""Opening models on the CPU; other providers: `test_devices.py`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeconv.errors import ArtifactError, ChecksumError, ConfigError, ManifestError, SchemaVersionError
from edgeconv.runtime import loading
from edgeconv.runtime import session as session_module
from edgeconv.runtime.loading import find_model, open_model, reference_model
from edgeconv.runtime.providers import CPU


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "exported" / "copy"))


def _edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_a_folder_opens_int8_first(tiny: Path) -> None:
    opened = open_model(tiny)
    assert (opened.variant, opened.session.provider, opened.manifest.labels) == ("int8", CPU, ("red", "green", "blue"))
    assert open_model(tiny, variant="fp32").variant == "fp32"


def test_a_lone_file_serves_by_the_contract_inside(tiny: Path, tmp_path: Path) -> None:
    for file, variant in (("model.int8.onnx", "int8"), ("model.onnx", "fp32")):
        lone = Path(shutil.copy(tiny / file, tmp_path / "anything.onnx"))
        opened = open_model(lone)
        assert opened.variant == variant
        assert opened.manifest.labels == ("red", "green", "blue")
        assert opened.manifest.preprocess is not None


@pytest.mark.parametrize("file", ["model.onnx", "model.e2e.onnx"])
def test_a_lone_file_is_opened_once(tiny: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    session = session_module.ort.InferenceSession
    monkeypatch.setattr(session_module.ort, "InferenceSession", lambda *a, **k: opened.append(1) or session(*a, **k))
    open_model(tiny / file)
    assert opened == [1]


def test_a_lone_file_has_one_variant(tiny: Path) -> None:
    with pytest.raises(ArtifactError, match=r"must hold the variant fp32\. Received: int8"):
        open_model(tiny / "model.int8.onnx", variant="fp32")


def test_a_file_that_was_exchanged_is_found_out(copy: Path) -> None:
    shutil.copy(copy / "model.onnx", copy / "model.int8.onnx")
    with pytest.raises(ChecksumError, match=r"model\.int8\.onnx` must have the SHA-256"):
        open_model(copy)


def test_a_file_that_is_absent(copy: Path) -> None:
    (copy / "model.int8.onnx").unlink()
    with pytest.raises(ArtifactError, match=r"model\.int8\.onnx` is required\. Received: No such file"):
        open_model(copy)


def test_a_variant_that_was_never_made(copy: Path) -> None:
    _edit(copy / "manifest.json", lambda manifest: manifest["variants"].pop("int8"))
    assert open_model(copy).variant == "fp32"
    with pytest.raises(
        ArtifactError,
        match=r"hold the variant int8\. Received: fp32, e2e\. Make int8 with `edgeconv export --quantize`",
    ):
        open_model(copy, variant="int8")


def test_a_contract_of_the_future_names_the_version_that_is_needed(copy: Path) -> None:
    _edit(copy / "manifest.json", lambda manifest: manifest.update(schema_version=99))
    with pytest.raises(SchemaVersionError, match="reads schema version 99"):
        open_model(copy)


@pytest.mark.parametrize(("text", "message"), [("{}", "must be an edgeconv manifest"), ("{", "must be readable JSON")])
def test_a_damaged_contract(copy: Path, text: str, message: str) -> None:
    (copy / "manifest.json").write_text(text)
    with pytest.raises(ArtifactError, match=message):
        open_model(copy)


def test_paths_that_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"must be an artifact's folder or an `.onnx` file"):
        open_model(tmp_path / "nothing")
    with pytest.raises(ArtifactError, match=r"manifest\.json` is required"):
        open_model(tmp_path)


def test_an_onnx_file_without_a_contract(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the runtime has no onnx")
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 2]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "bare.onnx")
    with pytest.raises(ManifestError, match=r"must carry its contract under `edgeconv.manifest`"):
        open_model(tmp_path / "bare.onnx")


def test_threads_are_at_least_one(tiny: Path) -> None:
    with pytest.raises(ConfigError, match="`threads` must be at least 1"):
        open_model(tiny, threads=0)


def test_the_newest_artifact_comes_first_and_the_shipped_one_last(
    copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_model() == Path("exported/copy")
    older = Path(shutil.copytree(copy, tmp_path / "exported" / "older"))
    os.utime(older / "manifest.json", (0, 0))
    assert find_model() == Path("exported/copy")
    monkeypatch.chdir(tmp_path / "exported")
    assert find_model() == reference_model()
    monkeypatch.setattr(loading, "REFERENCE_PLACES", ())
    with pytest.raises(ArtifactError, match="A model is required"):
        find_model()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes with names")
@pytest.mark.parametrize("file", ["model.int8.onnx", "manifest.json"])
def test_a_pipe_in_the_place_of_a_file_is_no_endless_wait(copy: Path, file: str) -> None:
    (copy / file).unlink()
    os.mkfifo(copy / file)
    with pytest.raises(ArtifactError, match=r"Received: a pipe or a device\. Export"):
        open_model(copy)
