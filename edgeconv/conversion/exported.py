"""What an export gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeconv.conversion.explanation.table import Explanation
from edgeconv.manifest import Manifest
from edgeconv.parity.ledger import Ledger


@dataclass(frozen=True)
class ExportedModel:
    """A model that was exported.

    Attributes:
        path: the artifact's folder.
        manifest: its contract.
        ledger: how well each stage does.
        explanation: how well each layer does in each variant, where that was asked for.
    """

    path: Path
    manifest: Manifest
    ledger: Ledger
    explanation: Explanation | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the path, the contract and the ledger as a JSON object."""
        value = {"path": str(self.path), "manifest": self.manifest.as_dict(), "ledger": self.ledger.as_dict()}
        return value if self.explanation is None else {**value, "explanation": self.explanation.as_dict()}
