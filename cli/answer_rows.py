"""Answers to pictures as rows: the columns of each task, as CSV and for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeconv.runtime.gallery import Gallery

from .output import say

Row = dict[str, Any]

NEAREST = "nearest"
"""Rows of embeddings that are answered with pictures."""

FIELDS = {
    "classes": ("label", "index", "probability", "top"),
    "tags": ("tags", "scores", "threshold"),
    "yes-no": ("label", "answer", "probability", "threshold"),
    "values": ("values",),
    "embedding": ("vector",),
    "mask": ("height", "width", "shares"),
    "picture": ("height", "width", "channels"),
    "boxes": ("boxes", "threshold", "height", "width"),
    NEAREST: ("nearest",),
}
"""The keys of a row of each task, behind the path."""

YES = "probability of yes"

SHOWN = 4
"""Numbers of a vector that a table shows."""

CELLS: dict[str, dict[str, Callable[[Row], str]]] = {
    "classes": {
        "label": lambda row: row["label"],
        "probability": lambda row: f"{row['probability']:.2%}",
        "next": lambda row: _scores(row["top"][1:]),
    },
    "tags": {
        "tags": lambda row: _scores(score for score in row["scores"] if score["label"] in row["tags"]) or "-",
        "others": lambda row: _scores(score for score in row["scores"] if score["label"] not in row["tags"]),
    },
    "yes-no": {
        "label": lambda row: row["label"],
        YES: lambda row: f"{row['probability']:.2%}",
    },
    "values": {"values": lambda row: ", ".join(f"{name} {value:.6g}" for name, value in row["values"].items())},
    "embedding": {
        "size": lambda row: str(len(row["vector"])),
        "vector": lambda row: ", ".join(f"{value:.4g}" for value in row["vector"][:SHOWN]) + ", ...",
    },
    "mask": {
        "size": lambda row: f"{row['width']} x {row['height']}",
        "pixels": lambda row: ", ".join(f"{label} {share:.1%}" for label, share in row["shares"].items() if share),
    },
    "picture": {"size": lambda row: f"{row['width']} x {row['height']}"},
    "boxes": {
        "size": lambda row: f"{row['width']} x {row['height']}",
        "boxes": lambda row: ", ".join(map(_box, row["boxes"])) or "-",
    },
    NEAREST: {
        "nearest (cosine)": lambda row: ", ".join(f"{near['path']} {near['cosine']:.4f}" for near in row["nearest"])
    },
}
"""The columns of a table of each task, behind the path."""


def cells_of(task: str, labels: Sequence[str]) -> dict[str, Callable[[Row], str]]:
    """Return the columns of a table; that of a yes or no says which of the two is the yes."""
    if task != "yes-no" or len(labels) != 2:
        return CELLS[task]
    return {f"probability of {labels[1]}" if name == YES else name: cell for name, cell in CELLS[task].items()}


def _box(found: Row) -> str:
    return f"{found['label']} {found['score']:.2%} at ({', '.join(f'{side:.0f}' for side in found['box'])})"


def nearest_rows(rows: Iterable[Row], gallery: Gallery, count: int) -> Iterator[Row]:
    """Answer rows of embeddings with the nearest pictures of a gallery, never with the picture itself."""
    for row in rows:
        if "vector" in row:
            vector = row.pop("vector")
            row["nearest"] = [near.as_dict() for near in gallery.nearest(vector, count, but=row["path"])]
        yield row


def failed(name: str, reason: str) -> Row:
    """Say on stderr why there is no answer, and return the row that says it in JSON."""
    say(f"Error: {reason if name in reason else f'{name}: {reason}'}")
    return {"path": name, "error": reason}


def answered(rows: Iterable[Row]) -> Iterator[Row]:
    """Leave out the rows of `failed`: CSV and tables have no column for them."""
    return (row for row in rows if not isinstance(row.get("error"), str))


def _scores(scores: Iterable[Row]) -> str:
    return ", ".join(f"{score['label']} {score['probability']:.2%}" for score in scores)
