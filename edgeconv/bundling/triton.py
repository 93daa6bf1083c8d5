"""The target `triton`: what of a model repository is no template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgeconv.bundling.context import BundleContext, identifier_of, slug_of
from edgeconv.bundling.portable import portable


def write_triton(folder: Path, context: BundleContext) -> Mapping[str, str]:
    """Write both models, each with the picture that warms it up.

    Args:
        folder: of the bundle.
        context: about the model.

    Returns:
        What the templates may say besides: the size of the picture that warms up.
    """
    name = identifier_of(slug_of(context.manifest.name))
    (picture,), (*_, prepared) = context.samples[0].inputs, context.samples[0].outputs
    _write_model(folder / "models" / name, portable(context.plain, context.variant), prepared.tobytes())
    _write_model(folder / "models" / f"{name}_picture", portable(context.model, context.variant), picture.tobytes())
    height, width, channels = picture.shape
    return {
        "PICTURE_HEIGHT": str(height),
        "PICTURE_WIDTH": str(width),
        "PICTURE_CHANNELS": str(channels),
    }


def _write_model(folder: Path, model: bytes, picture: bytes) -> None:
    for path, content in ((folder / "1" / "model.onnx", model), (folder / "warmup" / "picture.bin", picture)):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
