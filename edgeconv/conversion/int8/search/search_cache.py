"""The results of a search so far, on disk: an interrupted search continues where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeconv.artifact import read_json, write_json
from edgeconv.caching import kept_if_possible
from edgeconv.conversion.int8.search.settings import Judgement, LayerSensitivity, Settings
from edgeconv.errors import ArtifactError

FORMAT = "edgeconv.search/4"
"""Change it with anything that changes a candidate or its judgement: older files are then ignored."""


@dataclass(frozen=True)
class SearchCache:
    """Judgements and rankings of one search, in one JSON file that is replaced whole.

    Attributes:
        folder: where it lies; None keeps nothing.
        key: digest of what the search depends on: model, calibration images, scheme, the judge's images, release.
    """

    folder: Path | None
    key: str

    def judgement(self, settings: Settings, float_layers: Collection[str]) -> Judgement | None:
        """Return what was found about a candidate, or None."""
        found = self._read()["judgements"].get(_name(settings, float_layers))
        return None if found is None else Judgement.from_dict(found)

    def keep_judgement(self, settings: Settings, float_layers: Collection[str], judgement: Judgement) -> None:
        """Keep what was found about a candidate."""
        self._keep("judgements", _name(settings, float_layers), asdict(judgement))

    def ranking(self, settings: Settings) -> tuple[LayerSensitivity, ...] | None:
        """Return the ranking that was made with some settings, or None."""
        found = self._read()["rankings"].get(_name(settings, ()))
        return None if found is None else tuple(LayerSensitivity(str(layer), sqnr_db) for layer, sqnr_db in found)

    def keep_ranking(self, settings: Settings, ranking: Sequence[LayerSensitivity]) -> None:
        """Keep a ranking."""
        self._keep("rankings", _name(settings, ()), [[entry.layer, entry.sqnr_db] for entry in ranking])

    @property
    def path(self) -> Path:
        """The file."""
        return (self.folder or Path()) / f"{self.key[:16]}.search.json"

    def _keep(self, kind: str, name: str, value: Any) -> None:
        if self.folder is not None:
            stored = self._read()
            stored[kind][name] = value
            with kept_if_possible():
                write_json(self.path, stored)

    def _read(self) -> dict[str, Any]:
        fresh: dict[str, Any] = {"format": FORMAT, "key": self.key, "judgements": {}, "rankings": {}}
        if self.folder is None:
            return fresh
        try:
            stored = read_json(self.path)
        except ArtifactError:
            return fresh
        alike = stored.keys() == fresh.keys() and (stored["format"], stored["key"]) == (FORMAT, self.key)
        return stored if alike else fresh


def _name(settings: Settings, float_layers: Collection[str]) -> str:
    facts = json.dumps([settings.as_dict(), sorted(float_layers)], sort_keys=True)
    return f"{settings}; {len(float_layers)} in float; {hashlib.sha256(facts.encode()).hexdigest()[:16]}"
