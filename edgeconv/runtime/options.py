"""What a session of ONNX Runtime may be told besides its threads, as data for a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edgeconv.errors import ConfigError

LEVELS = ("basic", "extended", "all")
"""Graph optimisations: exact rewrites, fusions for the processor, and layouts for it as well."""


@dataclass(frozen=True)
class SessionOptions:
    """Options of a session; the defaults are those of ONNX Runtime.

    None changes what is computed but for the order of sums.

    Attributes:
        optimization: how far the graph is rewritten when it is loaded, of `LEVELS`.
        spinning: whether threads that wait for work keep a core busy, so that they start at once.
        arena: whether memory that is done with is kept for the next call.
        memory_pattern: whether the memory of a call is planned as one block after the first.
    """

    optimization: str = "all"
    spinning: bool = True
    arena: bool = True
    memory_pattern: bool = True

    def __post_init__(self) -> None:
        """Check the level.

        Raises:
            ConfigError: there is no such level.
        """
        if self.optimization not in LEVELS:
            raise ConfigError(f"`optimization` must be one of {', '.join(LEVELS)}. Received: {self.optimization!r}.")

    def as_dict(self) -> dict[str, Any]:
        """Return the options as a JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> SessionOptions:
        """Read what `as_dict` wrote."""
        return cls(
            optimization=str(value["optimization"]),
            spinning=bool(value["spinning"]),
            arena=bool(value["arena"]),
            memory_pattern=bool(value["memory_pattern"]),
        )


DEFAULT_OPTIONS = SessionOptions()
