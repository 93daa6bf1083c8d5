"""Options of an ONNX Runtime session, and those found best for a device: the manifest's block `session`."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, get_args

from edgeconv.errors import ConfigError
from edgeconv.record import ABSENT, Json, Record

Level = Literal["basic", "extended", "all"]
"""Graph optimisations: exact rewrites, fusions for the processor, and layouts for it as well."""

LEVELS: tuple[Level, ...] = get_args(Level)


MOST_THREADS = 256
"""Inside an operator: ONNX Runtime starts as many as it is told, and each spins for work."""


class SessionOptions(Record):
    """Options of a session; the defaults are those of ONNX Runtime.

    None changes what is computed but for the order of sums.

    Attributes:
        optimization: how far the graph is rewritten when it is loaded, of `LEVELS`.
        spinning: whether threads that wait for work keep a core busy, so that they start at once.
        arena: whether memory that is done with is kept for the next call.
        memory_pattern: whether the memory of a call is planned as one block after the first.
        images_at_once: of a larger batch, images a call, at least 1; None: 32 a thread on the CPU, else all.
        calls_at_once: calls for parts of one batch on the CPU at the same time, at least 1; None: one, or, of a large
            batch, one for each core where nobody says a number of threads.
    """

    optimization: Level = "all"
    spinning: bool = True
    arena: bool = True
    memory_pattern: bool = True
    images_at_once: int | None = field(default=None, metadata={ABSENT: True})
    calls_at_once: int | None = field(default=None, metadata={ABSENT: True})

    def __post_init__(self) -> None:
        """Check the level and the numbers.

        Raises:
            ConfigError: there is no such level, or a number is out of its range.
        """
        if self.optimization not in LEVELS:
            raise ConfigError(f"`optimization` must be one of {', '.join(LEVELS)}. Received: {self.optimization!r}.")
        if self.images_at_once is not None and self.images_at_once < 1:
            raise ConfigError(f"`images_at_once` must be at least 1. Received: {self.images_at_once}.")
        if self.calls_at_once is not None and not 1 <= self.calls_at_once <= MOST_THREADS:
            raise ConfigError(f"`calls_at_once` must be 1 to {MOST_THREADS}. Received: {self.calls_at_once}.")

    @property
    def cuts_batches(self) -> bool:
        """Whether they say how a batch is cut."""
        return self.images_at_once is not None or self.calls_at_once is not None


DEFAULT_OPTIONS = SessionOptions()


class Tuned(Record):
    """The best configuration for a model on one device, as `edgeconv benchmark --tune` found it.

    Attributes:
        variant: the file to run.
        provider: the execution provider to run it on.
        threads: threads inside an operator.
        options: of the session.
        sha256: of the file that was measured: another file under its name is not meant.
        evidence: for people: the device's description, and by how much this configuration is faster than the default.
    """

    variant: str
    provider: str
    threads: int
    options: SessionOptions
    sha256: str | None
    evidence: Mapping[str, Json] = field(default_factory=dict)


def check_timeout(timeout: float | None) -> None:
    """Raise ConfigError unless the seconds that a call may take are some, or not said."""
    if timeout is not None and not (hasattr(timeout, "__float__") and timeout > 0):
        raise ConfigError(
            f"`timeout` must be above 0 seconds. Received: {timeout!r}. Leave it out, or give inf for no limit."
        )


def check_threads(threads: int) -> None:
    """Raise ConfigError unless a number of threads inside an operator is 1 to `MOST_THREADS`."""
    if not hasattr(threads, "__index__") or not 1 <= threads <= MOST_THREADS:
        raise ConfigError(
            f"`threads` must be at least 1 and at most {MOST_THREADS}. Received: {threads!r}. Leave it out for 1."
        )
