from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeconv.runtime.cores import usable_cores


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 4, 5}, raising=False)


def _groups(folder: Path, own: str, **files: str) -> tuple[Path, Path]:
    for name, text in files.items():
        path = folder / "cgroup" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "own").write_text(own)
    return folder / "cgroup", folder / "own"


def test_the_affinity_mask_is_counted(four: None, tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "none", tmp_path / "none") == 4


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", 4), ("250000 100000", 2), ("50000 100000", 1)])
def test_a_quota_of_cgroup_2_counts_down(four: None, tmp_path: Path, quota: str, cores: int) -> None:
    assert usable_cores(*_groups(tmp_path, "0::/a/b\n", a__b__cpu_dot_max=quota)) == cores


def test_a_group_above_limits_too(four: None, tmp_path: Path) -> None:
    groups = _groups(tmp_path, "0::/a/b\n", a__cpu_dot_max="100000 100000", a__b__cpu_dot_max="max 100000")
    assert usable_cores(*groups) == 1


@pytest.mark.parametrize(("quota", "cores"), [("-1", 4), ("300000", 3)])
def test_a_quota_of_cgroup_1_counts(four: None, tmp_path: Path, quota: str, cores: int) -> None:
    own = "4:memory:/x\n2:cpu,cpuacct:/\n0::/\n"
    groups = _groups(
        tmp_path,
        own,
        **{"cpu,cpuacct__cpu_dot_cfs_quota_us": quota, "cpu,cpuacct__cpu_dot_cfs_period_us": "100000"},
    )
    assert usable_cores(*groups) == cores
