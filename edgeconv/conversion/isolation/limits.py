"""What a child process may take."""

from __future__ import annotations

from dataclasses import dataclass

from edgeconv.errors import ConfigError
from edgeconv.memory import memory_of_machine

HOUR = 3600.0


@dataclass(frozen=True)
class Limits:
    """The most that a child process may take of this machine.

    The limit on memory holds on Linux (RLIMIT_DATA: private writable memory, so files that are only mapped do not
    count). Windows has no such limit and macOS does not enforce it: there the system itself is the limit.

    Attributes:
        memory_bytes: of memory; None takes what the machine, or its container, has.
        seconds: of time on the clock.

    Raises:
        ConfigError: a limit is not above 0.

    Example:
        >>> Limits(memory_bytes=8_000_000_000, seconds=600).memory_bytes
        8000000000
    """

    memory_bytes: int | None = None
    seconds: float = HOUR

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "seconds"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"`{name}` must be above 0. Received: {value}. Leave it out for the default.")

    @property
    def bytes_in_force(self) -> int:
        """The limit on memory as a number."""
        return memory_of_machine() if self.memory_bytes is None else self.memory_bytes
