"""How much memory this process may take: the machine's, its container's, or a limit set on the process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Of a container, as the kernel's control groups state it: version 2 and version 1."""

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


def _sizes() -> Iterator[int]:
    yield UNKNOWN
    with suppress(AttributeError, ValueError, OSError):  # Windows has no `sysconf`.
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # Absent, or "max".
            yield int(path.read_text(encoding="ascii"))
