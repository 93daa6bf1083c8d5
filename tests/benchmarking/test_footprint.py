from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeconv.benchmarking import footprint
from edgeconv.benchmarking.configurations import Configuration
from edgeconv.benchmarking.footprint import footprint_of, main
from edgeconv.runtime.files import read_files


def test_load_time_and_memory_are_those_of_a_process(tiny: Path) -> None:
    """Starts a process, half a second."""
    found = footprint_of(read_files(tiny), Configuration("int8"), (1, 4))
    assert found is not None
    assert found.load_ms > 0.0
    assert list(found.memory_bytes) == [1, 4]
    if footprint.STATUS.exists():
        small, large = found.memory_bytes.values()
        assert small is not None and large is not None  # noqa: PT018
        assert 0 < small <= large < 2**30


def test_a_process_that_fails_is_none(tiny: Path) -> None:
    """Starts a process, half a second."""
    assert footprint_of(read_files(tiny), Configuration("fp16"), (1,)) is None


def test_memory_counts_from_before_the_load(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = tmp_path / "status"
    monkeypatch.setattr(footprint, "STATUS", status)
    monkeypatch.setattr(footprint, "RESET", tmp_path / "absent" / "clear_refs")
    status.write_text("VmHWM:\t   900 kB\nVmRSS:\t   400 kB\n")
    configuration = Configuration("e2e")
    request = {
        "path": str(tiny),
        "variant": "e2e",
        "provider": configuration.provider,
        "threads": 1,
        "options": configuration.options.as_dict(),
        "picture": [60, 80],
        "batches": [1],
        "timeout": None,
    }
    main(json.dumps(request))
    assert json.loads(capsys.readouterr().out)["memory_bytes"] == {"1": 500 * 1024}
