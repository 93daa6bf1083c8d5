"""Compiling int8 ahead of time, by a provider that is faked and writes what it was given."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from edgeconv.artifact import CONTEXT_FILE
from edgeconv.config import ExportConfig
from edgeconv.conversion.contexts import compile_ahead
from edgeconv.conversion.export import export
from edgeconv.errors import ConfigError, ProviderError
from edgeconv.progress import SILENT
from edgeconv.runtime import providers
from tests.runtime.faked_providers import QNN, NativeSession, fake_providers


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> type[NativeSession]:
    native = fake_providers(monkeypatch)
    before = native.__init__

    def init(self: NativeSession, model: bytes, options: Any, **more: Any) -> None:
        before(self, model, options, **more)
        if self.given.get("soc_model") == "60":
            assert options.get_session_config_entry("ep.context_enable") == "1"
            Path(options.get_session_config_entry("ep.context_file_path")).write_bytes(model)

    monkeypatch.setattr(native, "__init__", init)
    return native


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "m"))


def test_a_context_is_listed_in_the_manifest(native: type[NativeSession], folder: Path) -> None:
    before = json.loads((folder / "manifest.json").read_text())
    compile_ahead(folder, 60, SILENT)
    after = json.loads((folder / "manifest.json").read_text())
    context = after["variants"]["int8"].pop("context")
    assert after == before
    data = (folder / CONTEXT_FILE).read_bytes()
    assert (context["file"], context["provider"], context["soc"]) == (CONTEXT_FILE, QNN, 60)
    assert (context["size_bytes"], context["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert context["source_sha256"] == before["variants"]["int8"]["sha256"]


def test_nothing_is_kept_of_one_that_is_not_made_or_answers_wrongly(native: type[NativeSession], folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(ProviderError, match=r"must compile for the chip 61\. Received: no file\."):
        compile_ahead(folder, 61, SILENT)
    native.error = 0.9
    with pytest.raises(ProviderError, match="must answer as Keras did"):
        compile_ahead(folder, 60, SILENT)
    assert not (folder / CONTEXT_FILE).exists()
    assert (folder / "manifest.json").read_bytes() == before


def test_what_it_goes_with_is_asked_for_before_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for wrong in ({}, {"quantize": True}, {"target": "qnn"}, {"quantize": True, "target": "x86"}):
        with pytest.raises(ConfigError, match=r"`context` goes with int8 for qnn\. Add `--quantize --target qnn`"):
            ExportConfig(context=60, **wrong)  # type: ignore[arg-type]
    monkeypatch.setattr(providers, "plugin_modules", lambda: ())
    config = ExportConfig(context=60, quantize=True, target="qnn")
    with pytest.raises(ProviderError, match=r"Install it with `pip install onnxruntime-qnn`"):
        export(tmp_path / "no such model.keras", config=config)
