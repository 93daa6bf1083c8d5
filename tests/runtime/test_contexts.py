"""What was compiled ahead of time for a chip, opened by a provider that is faked."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from edgeconv.errors import EdgeconvWarning, ManifestError, ProviderError
from edgeconv.manifest import Manifest
from edgeconv.runtime import contexts
from edgeconv.runtime.contexts import compiler_of
from edgeconv.runtime.loading import open_model
from edgeconv.runtime.runner import Runner
from tests.runtime.faked_providers import QNN, NativeSession, fake_providers

COMPILER = "onnxruntime-qnn 2.7.0"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return what the faked NPU opens, in turn."""
    native, given = fake_providers(monkeypatch), list[bytes]()
    before = native.__init__

    def init(self: NativeSession, model: bytes, options: Any, **more: Any) -> None:
        given.append(model)
        if model.endswith(b"refused"):
            raise RuntimeError("another chip")
        before(self, model.removesuffix(b"compiled"), options, **more)

    monkeypatch.setattr(native, "__init__", init)
    monkeypatch.setattr(contexts, "compiler_of", lambda _: COMPILER)
    return given


def _compiled(tiny: Path, folder: Path, ending: bytes = b"compiled", **changes: Any) -> Path:
    """Return a copy of the artifact with a context, which is its int8 with an ending that the faked NPU knows."""
    shutil.copytree(tiny, folder)
    data = (folder / "model.int8.onnx").read_bytes()
    (folder / "c.onnx").write_bytes(data + ending)
    manifest = json.loads((folder / "manifest.json").read_text())
    own = manifest["variants"]["int8"]
    own["quantization"]["target"] = "qnn"
    digest = hashlib.sha256(data + ending).hexdigest()
    context = {"file": "c.onnx", "provider": QNN, "soc": 60, "compiler": COMPILER, "size_bytes": 1, "sha256": digest}
    own["context"] = {**context, "source_sha256": own["sha256"], **changes}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_context_that_fits_is_opened_in_place_of_int8(opened: list[bytes], tiny: Path, tmp_path: Path) -> None:
    folder = _compiled(tiny, tmp_path / "m")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, runner = open_model(folder, device="qnn"), Runner(folder, device="qnn")
    assert (model.variant, runner.variant) == ("int8", "int8")
    assert [data.endswith(b"compiled") for data in opened] == [True, True]
    open_model(folder, device="openvino", variant="int8")
    assert not opened[-1].endswith(b"compiled")
    assert open_model(folder, device="cpu").variant == "int8"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"compiler": "onnxruntime-qnn 2.6.0"}, r"onnxruntime-qnn 2\.7\.0, and it is of onnxruntime-qnn 2\.6\.0"),
        ({"source_sha256": "0"}, "it was compiled of another file"),
        ({"sha256": "0"}, r"`c\.onnx` has another SHA-256 than its manifest"),
        ({"file": "gone.onnx"}, "No such file"),
        ({"ending": b"refused"}, "another chip"),
    ],
)
def test_one_that_does_not_fit_is_compiled_anew_aloud(
    opened: list[bytes], tiny: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    folder = _compiled(tiny, tmp_path / "m", **changes)
    with pytest.warns(EdgeconvWarning, match=rf"int8 is compiled anew: .* chip 60 .*{reason}.*--context 60`\."):
        assert open_model(folder, device="qnn").variant == "int8"
    assert opened[-1] == (tiny / "model.int8.onnx").read_bytes()


def test_one_that_computes_wrong_is_refused(
    opened: list[bytes], tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NativeSession, "error", 0.9)
    with pytest.raises(ProviderError, match=r"must answer as Keras did\. Received: \d+ of 16 golden vectors"):
        open_model(_compiled(tiny, tmp_path / "m"), device="qnn")
    assert opened[-1].endswith(b"compiled")


def test_the_manifest_names_no_file_elsewhere(tiny: Path, tmp_path: Path) -> None:
    folder = _compiled(tiny, tmp_path / "m", file="../c.onnx")
    with pytest.raises(ManifestError, match=r"must name files of its own folder\. Received: '\.\./c\.onnx'"):
        Manifest.from_dict(json.loads((folder / "manifest.json").read_text()))


def test_who_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "version", lambda package: f"of {package}")
    assert compiler_of(QNN) == "onnxruntime-qnn of onnxruntime-qnn"
    assert compiler_of("CUDAExecutionProvider") == ""
