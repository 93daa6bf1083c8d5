"""The variant `e2e`: another variant with the preparation of pictures in front of it, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import onnx

from edgeconv.conversion.contract import ConvertedFile
from edgeconv.conversion.embedding.composition import embed
from edgeconv.conversion.graph.metadata import stamp
from edgeconv.conversion.source import Source
from edgeconv.errors import ConfigError, EdgeconvError, UnsupportedModelError
from edgeconv.manifest import ArraySpec, Manifest
from edgeconv.pictures.preparation import Preparation
from edgeconv.progress import Progress
from edgeconv.runtime.embedded import E2E, INPUT, EmbeddedModel


def make_embedded(
    source: Source, files: Mapping[str, ConvertedFile], preparation: Preparation | None, kind: str, progress: Progress
) -> ConvertedFile:
    """Return int8, or fp32 where there is none, with the preparation of pictures in front of it.

    Raises:
        ConfigError: nobody knows how the model's pictures are prepared.
        UnsupportedModelError: ONNX Runtime does not load the result.
    """
    if preparation is None:
        raise ConfigError(
            f"`embed_preprocessing` requires a model whose preparation of pictures is known. Received: `{source.path}` "
            "without it. State what its input makes of a pixel, such as `--input-range 0:1`."
        )
    base = "int8" if "int8" in files else "fp32"
    progress.say(f"Embedding the preparation of pictures into {base}")
    embedded = embed_verified(files[base].model, preparation, kind=kind)
    return ConvertedFile(embedded, embedded.SerializeToString(deterministic=True), embeds=base)


def embed_verified(model: onnx.ModelProto, preparation: Preparation, *, kind: str) -> onnx.ModelProto:
    """Return a model with its preparation inside, checked, and loaded once by ONNX Runtime.

    Args:
        model: fp32 or int8, with a uint8 input `image`.
        preparation: what makes its input of a picture.
        kind: of its output, "probabilities" or "logits".

    Raises:
        UnsupportedModelError: ONNX Runtime does not load the result.
    """
    embedded = embed(model, preparation, kind=kind)
    try:
        onnx.checker.check_model(embedded, full_check=True)
        EmbeddedModel(embedded.SerializeToString())
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, EdgeconvError) as error:
        raise UnsupportedModelError(
            f"The model with its preparation inside must load. Received: {' '.join(str(error).split())}. "
            "Export it without `--embed-preprocessing`."
        ) from error
    return embedded


def embed_variant(plain: bytes, manifest: Manifest, preparation: Preparation) -> bytes:
    """Return a variant's file with the preparation inside, for an artifact that was exported without.

    Args:
        plain: the bytes of the variant.
        manifest: the artifact's contract.
        preparation: what makes the model's input of a picture.

    Raises:
        UnsupportedModelError: ONNX Runtime does not load the result.
    """
    model = onnx.load_model_from_string(plain)
    return stamp(embed_verified(model, preparation, kind=manifest.output.kind), contract_inside(manifest), E2E)


def contract_inside(manifest: Manifest) -> Manifest:
    """Return the contract as it stands inside the file: a picture of any size in, probabilities out."""
    picture = ArraySpec(INPUT, "uint8", ("height", "width", "channels"), (0.0, 255.0), "picture")
    output = replace(manifest.output, shape=(1, manifest.output.shape[1]), value_range=(0.0, 1.0), kind="probabilities")
    return replace(manifest, input=picture, output=output)
