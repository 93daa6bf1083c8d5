"""How much memory there is, for the machine, its container or this process, and limits on what a process takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Of a container, as the kernel's control groups state it: version 2 and version 1."""

MEMORY_INFO = Path("/proc/meminfo")
"""Linux' own account of the machine's memory."""

UNKNOWN = 1 << 62
"""Stands where the system does not say how much memory it has."""


def memory_of_machine() -> int:
    """Return the bytes of memory of this machine, or of the container that the process runs in, without swap."""
    return min(_sizes())


def memory_allowed() -> int:
    """Return the bytes that this process may take: the machine's, or fewer where the process is limited."""
    with suppress(ImportError, AttributeError):  # Windows has no `resource`.
        import resource

        limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
        if limit != resource.RLIM_INFINITY:
            return min(limit, memory_of_machine())
    return memory_of_machine()


def limit_memory(memory_bytes: int) -> None:
    """Let this process take no more memory than that, where the platform can; there is no way back.

    RLIMIT_DATA counts private writable memory (Linux 4.7 and newer), which is what a process really asks for.
    RLIMIT_AS would also count what is only reserved: 2.8 GB of address space for a TensorFlow 2.21 that
    asked for 0.6 GB, and more with each core.
    """
    with suppress(ImportError, AttributeError, ValueError, OSError):  # Windows; a macOS that refuses.
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


@contextmanager
def free_memory_only() -> Iterator[None]:
    """Let this process take no more memory than is free now while the block runs, where the platform can.

    Without it Linux promises more memory than there is, and ends some process when it is used. With it whoever asks
    for too much is told so.
    """
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    free = memory_free()
    if before[0] != resource.RLIM_INFINITY:
        free = min(free, before[0])
    with suppress(ValueError, OSError):  # A macOS that refuses.
        resource.setrlimit(resource.RLIMIT_DATA, (free, before[1]))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, before)


def memory_free() -> int:
    """Return the bytes of memory that nobody on this machine uses, and no more than its container has."""
    with suppress(OSError):
        for line in MEMORY_INFO.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("MemAvailable:"):
                return min(1024 * int(line.split()[1]), memory_of_machine())
    return memory_of_machine()


def _sizes() -> Iterator[int]:
    yield UNKNOWN
    with suppress(AttributeError, ValueError, OSError):  # Windows has no `sysconf`.
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # Absent, or "max".
            yield int(path.read_text(encoding="ascii"))
