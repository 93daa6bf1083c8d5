"""From the outputs of a model to answers, by its task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ArtifactError, InferenceError
from edgeconv.manifest import Manifest
from edgeconv.runtime.prediction import Prediction, Score
from edgeconv.tasks import BOXES, CLASSES, YES_NO

if TYPE_CHECKING:
    from edgeconv.runtime.results import Mask, Result, Tags

Row = NDArray[np.float32]

FEW = 32
"""Numbers up to which Python's own loops are faster than a call of numpy: a small model answers in 30 us."""


def results_of(
    manifest: Manifest,
    outputs: Row,
    *,
    top_k: int,
    threshold: float | None = None,
    sizes: Sequence[tuple[int, ...]] | None = None,
) -> list[Result]:
    """Return one answer a picture.

    Args:
        manifest: of the model.
        outputs: float32, (n, ...), behind what is pending of its contract.
        top_k: how many classes a prediction lists.
        threshold: probability from which on a tag, a yes or a box is answered; None takes the contract's.
        sizes: (height, width) of the pictures as they were given, which boxes are told in; None tells them in pixels of
            what the model takes.

    Raises:
        ArtifactError: the outputs have another form than the task and the labels ask for.
        InferenceError: an output is NaN or infinite.
    """
    _check(manifest, outputs)
    if manifest.task != CLASSES:
        limit = manifest.threshold if threshold is None else threshold
        if manifest.task == BOXES:
            from edgeconv.runtime.detections import detections_in

            given = [None] * len(outputs) if sizes is None else sizes
            return [detections_in(manifest, row, limit, size) for row, size in zip(outputs, given, strict=True)]
        return [_result(manifest.task, manifest.labels, row, limit) for row in outputs]
    rows = outputs.tolist()
    best_first = _best_first(outputs, rows, top_k)
    return [_prediction(manifest.labels, row, order) for row, order in zip(rows, best_first, strict=True)]


def _check(manifest: Manifest, outputs: Row) -> None:
    """Refuse outputs that are no answers: JSON has no NaN, and an `argmax` makes an answer of anything."""
    task, labels, width = manifest.task, len(manifest.labels), outputs.shape[-1] if outputs.ndim else 0
    # The common case, before the words of all others are made.
    is_float = outputs.dtype == np.float32
    if task == CLASSES and (outputs.ndim, width) == (2, labels) and is_float and _are_finite(outputs):
        return
    if task in {CLASSES, "tags", "values"}:
        wanted, fits = f"{labels} numbers, as many as labels,", outputs.ndim == 2 and width == labels
    elif task == YES_NO:
        wanted, fits = "one number and two labels", outputs.ndim == 2 and width == 1 and labels == 2
    elif task == "embedding":
        wanted, fits = "a vector", outputs.ndim == 2
    elif task == "mask":
        wanted = f"one map for each of {labels} labels, or one of two labels,"
        fits = outputs.ndim == 4 and labels > 1 and width in ({1, labels} if labels == 2 else {labels})
    elif task == BOXES:
        wanted, fits = "rows of a box, a score and a class", outputs.ndim == 3 and width == 6
    else:
        wanted, fits = "a picture (height, width, channels)", task == "picture" and outputs.ndim == 4
    fits = fits and outputs.dtype.kind in "biuf"
    if not fits or (0 in outputs.shape[1:] and task != BOXES):
        raise ArtifactError(
            f"`{manifest.name}` of the task {task} must answer each picture with {wanted} as its contract says. "
            f"Received: {outputs.dtype} {outputs.shape}. Export the model again."
        )
    if not _are_finite(outputs):
        raise InferenceError(
            f"`{manifest.name}` must answer with finite numbers. Received: NaN or infinity. Try another variant, or "
            "export the model again."
        )


def _best_first(outputs: Row, rows: list[list[float]], top_k: int) -> list[list[int]]:
    """Return the likeliest classes of each row; of two equal probabilities the lower comes first, as in argmax."""
    if outputs.size <= FEW:
        return [sorted(range(len(row)), key=row.__getitem__, reverse=True)[:top_k] for row in rows]
    return cast(list[list[int]], np.argsort(-outputs, axis=1, kind="stable")[:, :top_k].tolist())


def _are_finite(outputs: Row) -> bool:
    if outputs.size <= FEW:
        return all(map(math.isfinite, outputs.ravel().tolist()))
    return bool(np.isfinite(outputs).all())


def _prediction(labels: tuple[str, ...], row: list[float], order: list[int]) -> Prediction:
    top = tuple([Score(labels[index], index, row[index]) for index in order])
    best = top[0]
    return Prediction(best.label, best.index, best.probability, top)


def _result(task: str, labels: tuple[str, ...], row: Row, limit: float) -> Result:
    from edgeconv.runtime import results  # Here, since classes are the common case, and a start waits for each class.

    match task:
        case "tags":
            return _tags(labels, row, limit)
        case "yes-no":
            yes = bool(row[0] >= limit)
            return results.YesNo(labels[yes], yes, float(row[0]), limit)
        case "values":
            return results.Values(dict(zip(labels, map(float, row), strict=True)))
        case "embedding":
            return results.Embedding(row)
        case "mask":
            return _mask(labels, row, limit)
        case "picture":
            return results.MadePicture(row)
    raise ValueError(f"a task without answers to pictures: {task}")


def _tags(labels: tuple[str, ...], row: Row, limit: float) -> Tags:
    from edgeconv.runtime.results import Tags

    scores = tuple(Score(label, index, float(row[index])) for index, label in enumerate(labels))
    found = sorted((score for score in scores if score.probability >= limit), key=lambda score: -score.probability)
    return Tags(tuple(found), scores, limit)


def _mask(labels: tuple[str, ...], maps: Row, limit: float) -> Mask:
    from edgeconv.runtime.results import Mask

    classes: NDArray[Any] = maps.argmax(axis=-1) if maps.shape[-1] > 1 else maps[..., 0] >= limit
    return Mask(classes.astype(np.uint8 if len(labels) <= 256 else np.uint16), labels)
