from __future__ import annotations

from pathlib import Path

import pytest

from edgeconv import memory
from edgeconv.memory import free_memory_only, memory_free, memory_of_machine

resource = pytest.importorskip("resource", reason="Windows has no such limits")


def _limit() -> int:
    limit: int = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return limit


def test_a_block_takes_no_more_than_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _limit()
    monkeypatch.setattr(memory, "memory_free", lambda: 2**34)
    with free_memory_only():
        assert _limit() == 2**34
        with pytest.raises(MemoryError):
            bytearray(2**35)
    assert _limit() == before


def test_a_limit_that_is_there_already_is_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (2**33, before[1]))
        monkeypatch.setattr(memory, "memory_free", lambda: 2**34)
        with free_memory_only():
            assert _limit() == 2**33
        assert _limit() == 2**33
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def test_what_is_free_is_no_more_than_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < memory_free() <= memory_of_machine()
    monkeypatch.setattr(memory, "MEMORY_INFO", tmp_path / "meminfo")
    assert memory_free() == memory_of_machine()
    memory.MEMORY_INFO.write_text("MemTotal:       9 kB\nMemAvailable:       7 kB\n")
    assert memory_free() == 7 * 1024
