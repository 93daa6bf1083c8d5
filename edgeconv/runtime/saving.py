"""Answers that are files: masks, boxes and pictures as PNG, embeddings as `.npy`, arrays as `.npz`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.artifact import replacing
from edgeconv.errors import ConfigError
from edgeconv.manifest import Manifest
from edgeconv.pictures.boxes import boxes_png
from edgeconv.pictures.masks import mask_png, overlay_png, picture_png
from edgeconv.runtime.detections import Detections
from edgeconv.runtime.results import Embedding, MadePicture, Mask, Result

SAVED_TASKS = ("mask", "picture", "embedding", "boxes")
"""Whose answers are files; the others are rows of text."""


def check_saved(manifest: Manifest) -> None:
    """Raise ConfigError where the answers of a model are no files."""
    if manifest.task not in SAVED_TASKS:
        raise ConfigError(
            f"`--out` is for the tasks {', '.join(SAVED_TASKS)}, and for arrays. Received: the task {manifest.task}. "
            "Leave it out: the answers are the rows that are printed."
        )


def save_answer(
    answer: Result,
    path: Path,
    *,
    picture: NDArray[np.uint8],
    value_range: tuple[float, float] | None,
    size: tuple[int, int] | None = None,
) -> Path:
    """Write an answer beside a name, atomically.

    Args:
        answer: a mask, which gets an overlay too, a picture, an embedding, or boxes, which are drawn.
        path: of the file, without its ending.
        picture: what the model was fed, of boxes what was given: uint8, (height, width, channels), 0-255.
        size: (height, width) that boxes are told in; by default that of `picture`.
        value_range: of the outputs, or None; a picture whose range nobody knows is written as `.npy`.

    Returns:
        The file.
    """
    if isinstance(answer, Mask):
        count = len(answer.labels)
        if picture.shape[:2] == answer.classes.shape:
            _write(path.with_name(f"{path.name}.overlay.png"), overlay_png(picture, answer.classes, count))
        return _write(path.with_name(f"{path.name}.png"), mask_png(answer.classes, count))
    if isinstance(answer, Detections):
        drawn = [(found.box, found.index, f"{found.label} {found.score:.0%}") for found in answer.boxes]
        return _write(path.with_name(f"{path.name}.png"), boxes_png(picture, drawn, size))
    if isinstance(answer, MadePicture) and value_range is not None:
        return _write(path.with_name(f"{path.name}.png"), picture_png(answer.pixels, value_range))
    if isinstance(answer, MadePicture | Embedding):
        stream = io.BytesIO()
        np.save(stream, answer.pixels if isinstance(answer, MadePicture) else answer.vector, allow_pickle=False)
        return _write(path.with_name(f"{path.name}.npy"), stream.getvalue())
    raise TypeError(f"an answer that is no file: {type(answer).__name__}")


def save_arrays(arrays: Mapping[str, NDArray[Any]], path: Path) -> Path:
    """Write arrays by name as `.npz`, atomically; return the file."""
    return _write(path.with_name(f"{path.name}.npz"), npz_of(arrays))


def npz_of(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays by name as the bytes of an `.npz`."""
    stream = io.BytesIO()
    np.savez(stream, **dict(arrays))  # type: ignore[arg-type]  # numpy's stub takes `allow_pickle` from the arrays.
    return stream.getvalue()


def _write(path: Path, content: bytes) -> Path:
    with replacing(path) as sibling:
        sibling.write_bytes(content)
    return path
