from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from edgeconv.conversion.tracing import library
from edgeconv.conversion.tracing.library import tensorflow_opened


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let a folder stand for TensorFlow, which is not imported yet."""
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    spec = ModuleSpec("tensorflow", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(library, "find_spec", lambda name: spec if name == "tensorflow" else None)
    return tmp_path


def test_the_library_is_open_when_the_block_has_ended(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(library, "_open", opened.append)
    (package / "libtensorflow_cc.so.2").touch()
    with pytest.raises(ImportError, match="something else"), tensorflow_opened():
        raise ImportError("something else")
    assert opened == [package / "libtensorflow_cc.so.2"]


def test_a_library_that_is_none_is_left_to_the_import(package: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (package / "libtensorflow_cc.so.2").write_bytes(b"no library")
    with tensorflow_opened():
        pass
    assert capfd.readouterr() == ("", "")


def test_without_tensorflow_or_its_library_nothing_is_opened(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_open", lambda path: pytest.fail(f"opened {path}"))
    with tensorflow_opened():
        assert not list(package.iterdir())
    monkeypatch.setattr(library, "find_spec", lambda _name: None)
    with tensorflow_opened():
        pass
