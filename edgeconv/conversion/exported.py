"""What an export gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeconv.artifact import MANIFEST_FILE, PARITY_FILE, read_json
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

    @classmethod
    def read(cls, folder: Path, explanation: Explanation | None = None) -> ExportedModel:
        """Read back what was exported into a folder; the explanation of its layers lies in no file.

        Raises:
            ArtifactError: the contract or the ledger is absent or damaged.
        """
        manifest, ledger = folder / MANIFEST_FILE, folder / PARITY_FILE
        return cls(
            folder,
            Manifest.from_dict(read_json(manifest), str(manifest)),
            Ledger.from_dict(read_json(ledger), str(ledger)),
            explanation,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the path, the contract and the ledger as a JSON object."""
        value = {"path": str(self.path), "manifest": self.manifest.as_dict(), "ledger": self.ledger.as_dict()}
        return value if self.explanation is None else {**value, "explanation": self.explanation.as_dict()}
