from __future__ import annotations

from pathlib import Path

import pytest

from edgeconv.caching import CACHE_VARIABLE, cache_folder, kept_if_possible


def test_the_named_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert cache_folder("calibration") == tmp_path / "calibration"
    assert not cache_folder("calibration").exists(), "asking makes nothing"


def test_else_it_lies_in_the_user_s_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CACHE_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("devices") == tmp_path / "edgeconv" / "devices"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder("devices") == Path.home() / ".cache" / "edgeconv" / "devices", "a relative path is ignored"


def test_without_a_home_nothing_can_be_kept_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(CACHE_VARIABLE)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", unknown)
    folder = cache_folder("calibration")
    with kept_if_possible():
        folder.mkdir(parents=True)
    assert not folder.exists()
