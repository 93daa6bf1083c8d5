"""How many cores this process may use, which is not how many the machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def usable_cores(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> int:
    """Count the cores of the affinity mask, and no more than the quota of the control group pays for.

    A quota of 1.5 cores counts as one: two threads would use it up, and both be stopped for the rest of the period.

    Args:
        cgroups: where Linux mounts control groups, of version 1 or 2.
        own: Linux' list of the groups that this process is in.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *(int(quota) for quota in _quotas(cgroups, own))]))


def _quotas(cgroups: Path, own: Path) -> Iterator[float]:
    """Yield the quotas, in cores, of the process' group and of those above it (kernel.org, cgroup-v2, `cpu.max`)."""
    try:
        lines = own.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers not in {"", "cpu", "cpu,cpuacct", "cpuacct,cpu"}:
            continue
        for folder in (PurePosixPath(group), *PurePosixPath(group).parents):
            inside = folder.as_posix().lstrip("/")
            if controllers:
                quota = _first(cgroups / controllers / inside / "cpu.cfs_quota_us")
                period = _first(cgroups / controllers / inside / "cpu.cfs_period_us")
            else:
                quota, period = _both(cgroups / inside / "cpu.max")
            if quota is not None and period and quota > 0:
                yield quota / period


def _both(path: Path) -> tuple[float | None, float | None]:
    try:
        quota, period = path.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None, None
    return (None if quota == "max" else float(quota)), float(period)


def _first(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
