from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeconv.conversion.int8.cache import Cache, key_of

ARRAYS = {"low": np.arange(5, dtype=np.float32), "done": np.array(3)}


def test_what_was_stored_comes_back(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new", key_of("m", "d", bins=8))
    assert cache.load("extremes") is None
    cache.store("extremes", ARRAYS)
    loaded = cache.load("extremes")
    assert loaded is not None
    assert loaded.keys() == ARRAYS.keys()
    np.testing.assert_array_equal(loaded["low"], ARRAYS["low"])
    assert cache.load("other") is None


def test_the_key_depends_on_model_data_and_settings() -> None:
    keys = {key_of("m", "d", bins=8), key_of("n", "d", bins=8), key_of("m", "e", bins=8), key_of("m", "d", bins=9)}
    assert len(keys) == 4
    assert key_of("m", "d", a=1, b=2) == key_of("m", "d", b=2, a=1)


def test_another_calibration_under_the_same_name_is_not_taken(tmp_path: Path) -> None:
    key = key_of("m", "d")
    Cache(tmp_path, key).store("extremes", ARRAYS)
    assert Cache(tmp_path, key[:16] + "0" * 48).load("extremes") is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, damage: str) -> None:
    cache = Cache(tmp_path, key_of("m", "d"))
    cache.store("extremes", {"low": np.random.default_rng(0).normal(size=1000)})
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 0xFF
    path.write_bytes({"cut": data[:-200], "flipped": bytes(flipped), "empty": b"", "text": b"hello"}[damage])
    assert cache.load("extremes") is None


def test_a_store_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path, key_of("m", "d"))
    cache.store("extremes", ARRAYS)

    def fails(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez_compressed", fails)
    cache.store("extremes", {"low": np.zeros(9)})
    monkeypatch.undo()
    loaded = cache.load("extremes")
    assert loaded is not None
    assert loaded["low"].shape == (5,)
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cache = Cache(None, "k")
    cache.store("extremes", ARRAYS)
    assert cache.load("extremes") is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_keeps_nothing_and_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "calibration", key_of("model", "data"))
    cache.store("ranges", {"a": np.zeros(1)})
    assert cache.load("ranges") is None
