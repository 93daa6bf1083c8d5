"""The table of a model's layers: how much each variant loses there, against Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LayerError:
    """One layer as one variant computes it.

    Attributes:
        value: name of the tensor in the variant's graph.
        sqnr_db: power of the layer's output over that of the error, in dB; None where there is no error.
        max_error: largest error of an element.
    """

    value: str
    sqnr_db: float | None
    max_error: float


@dataclass(frozen=True)
class LayerRow:
    """One layer, in the order in which Keras calls them.

    Attributes:
        layer: its path, ``#2`` after it in the second call.
        class_name: of the layer.
        shape: of its output in Keras, with the batch axis.
        spread: largest minus smallest element in Keras.
        errors: by variant; None in a variant that has folded the layer into another.
    """

    layer: str
    class_name: str
    shape: tuple[int, ...]
    spread: float
    errors: Mapping[str, LayerError | None]

    def as_dict(self) -> dict[str, Any]:
        """Return the row as a flat JSON object: ``"<variant>_sqnr_db"`` and so on, null where the layer is folded."""
        row: dict[str, Any] = {
            "layer": self.layer,
            "class_name": self.class_name,
            "shape": list(self.shape),
            "spread": self.spread,
        }
        for variant, error in self.errors.items():
            row[f"{variant}_value"] = error and error.value
            row[f"{variant}_sqnr_db"] = error and error.sqnr_db
            row[f"{variant}_max_error"] = error and error.max_error
        return row

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], variants: Sequence[str]) -> LayerRow:
        """Read what `as_dict` wrote."""
        errors = {
            variant: LayerError(value[f"{variant}_value"], value[f"{variant}_sqnr_db"], value[f"{variant}_max_error"])
            if value[f"{variant}_value"] is not None
            else None
            for variant in variants
        }
        return cls(value["layer"], value["class_name"], tuple(value["shape"]), value["spread"], errors)


@dataclass(frozen=True)
class Explanation:
    """The table.

    Attributes:
        variants: names of the variants, fp32 first.
        rows: one for each output of each call of a layer.
    """

    variants: tuple[str, ...]
    rows: tuple[LayerRow, ...]

    def worst(self, variant: str) -> LayerRow | None:
        """Return the layer with the lowest SQNR, or None where no layer has an error."""
        found = [
            (error.sqnr_db, row) for row in self.rows if (error := row.errors[variant]) and error.sqnr_db is not None
        ]
        return min(found, key=lambda pair: pair[0])[1] if found else None

    def as_dict(self) -> dict[str, Any]:
        """Return the table as a JSON object."""
        return {"variants": list(self.variants), "layers": [row.as_dict() for row in self.rows]}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Explanation:
        """Read what `as_dict` wrote."""
        variants = tuple(value["variants"])
        return cls(variants, tuple(LayerRow.from_dict(row, variants) for row in value["layers"]))
