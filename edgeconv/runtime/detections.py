"""What a detector answers to a picture: boxes with labels and scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ArtifactError
from edgeconv.manifest import Manifest
from edgeconv.pictures.placing import placed_boxes


@dataclass(frozen=True)
class Detection:
    """One thing in a picture.

    Attributes:
        label: name of its class.
        index: of the class.
        score: 0 to 1.
        box: x and y of its left upper and its right lower corner, in pixels of the picture.
    """

    label: str
    index: int
    score: float
    box: tuple[float, float, float, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the thing as a JSON object."""
        return {"label": self.label, "index": self.index, "score": self.score, "box": list(self.box)}


@dataclass(frozen=True)
class Detections:
    """What is where in a picture.

    Attributes:
        boxes: those whose score reaches the threshold, best first.
        threshold: the score from which on a box is answered.
        height: of the picture that was given, in pixels; None where boxes are told in what the model was fed.
        width: the same.
    """

    boxes: tuple[Detection, ...]
    threshold: float
    height: int | None
    width: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        boxes = [box.as_dict() for box in self.boxes]
        return {"boxes": boxes, "threshold": self.threshold, "height": self.height, "width": self.width}


def detections_in(
    manifest: Manifest, rows: NDArray[np.float32], threshold: float, size: tuple[int, ...] | None
) -> Detections:
    """Return the answer to one picture.

    Args:
        manifest: of the model.
        rows: float32, (n, 6), as `suppression.detections_of` gives them, best first.
        threshold: score from which on a box is answered.
        size: (height, width) of the picture as it was given; None tells boxes in pixels of what the model takes.
    """
    found = rows[(rows[:, 4] > 0.0) & (rows[:, 4] >= np.float32(threshold))]
    if found.size and not (found[:, 5].min() >= 0 and found[:, 5].max() < len(manifest.labels)):
        raise ArtifactError(
            f"`{manifest.name}` must find things of its {len(manifest.labels)} labels. Received: numbers of classes "
            f"from {found[:, 5].min():.0f} to {found[:, 5].max():.0f}. Export the model again."
        )
    boxes, preparation = found[:, :4], manifest.preprocess
    if size is not None and preparation is not None:
        boxes = placed_boxes(boxes, preparation, size)
    told = tuple(
        Detection(manifest.labels[int(row[5])], int(row[5]), float(row[4]), (x1, y1, x2, y2))
        for row, (x1, y1, x2, y2) in zip(found, boxes.tolist(), strict=True)
    )
    return Detections(told, threshold, *((None, None) if size is None else size))
