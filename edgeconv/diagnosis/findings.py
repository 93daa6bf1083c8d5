"""What is found out about a machine, as people and programs read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WORKS, NOTE, BROKEN, ABSENT = "works", "note", "broken", "absent"
"""States: as it should be; slower or less than it could be; there, and failing; not installed."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what, such as ``"webgpu"``, ``"processor"`` or ``"cache"``.
        state: one of ``"works"``, ``"note"``, ``"broken"``, ``"absent"``.
        text: what was found, in words.
        remedy: the command or the option that mends it; empty where nothing is to be mended.
    """

    subject: str
    state: str
    text: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return {"subject": self.subject, "state": self.state, "text": self.text, "remedy": self.remedy}


@dataclass(frozen=True)
class Diagnosis:
    """All that was found.

    Attributes:
        findings: in the order in which they are shown.
        device: what was asked for, or None.
        works: whether that works; True where nothing was asked for.
    """

    findings: tuple[Finding, ...]
    device: str | None
    works: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the diagnosis as a JSON object."""
        return {
            "device": self.device,
            "works": self.works,
            "findings": [finding.as_dict() for finding in self.findings],
        }
