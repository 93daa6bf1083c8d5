"""The variant `e2e`: another variant with the preparation of pictures in front of it, in one file."""

from __future__ import annotations

from dataclasses import replace

import onnx

from edgeconv.conversion.embedding.composition import embed
from edgeconv.conversion.graph.metadata import embed_metadata
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.errors import ConfigError, EdgeconvError, UnsupportedModelError, one_line
from edgeconv.manifest import ArraySpec, Manifest
from edgeconv.preparation import Preparation
from edgeconv.runtime.activation import pending_of
from edgeconv.runtime.embedded import INPUT, EmbeddedModel, embedded_name
from edgeconv.variants import best_first


def make(context: VariantContext) -> ConvertedFile:
    """Return the best variant for a CPU, int8 where it was made, with the preparation of pictures in front of it.

    Raises:
        ConfigError: nobody knows how the model's pictures are prepared, or its batch has another size than 1.
        UnsupportedModelError: ONNX Runtime does not load the result.
    """
    if context.preparation is None:
        raise ConfigError(
            "`embed_preprocessing` requires a model whose preparation of pictures is known. Received: "
            f"`{context.reference.path}` without it. {context.reference.pixels.advice}"
        )
    if context.reference.batch not in {None, 1}:
        raise ConfigError(
            f"`embed_preprocessing` answers one picture a call. Received: `{context.reference.path}` with a batch of "
            f"{context.reference.batch}. Leave it out, or export with `--batch 1`."
        )
    base = next(name for name in best_first(gpu=False) if name in context.files)
    context.progress.say(f"Embedding the preparation of pictures into {base}")
    embedded = embed_verified(context.files[base].model, context.preparation, pending=context.pending)
    return ConvertedFile(embedded, embedded.SerializeToString(deterministic=True), embeds=base)


def embed_verified(model: onnx.ModelProto, preparation: Preparation, *, pending: str | None) -> onnx.ModelProto:
    """Return a model with its preparation inside, checked, and loaded once by ONNX Runtime.

    Args:
        model: fp32 or int8, with a uint8 input `image`.
        preparation: what makes its input of a picture.
        pending: what is still to be done to its first output: "softmax", "sigmoid" or nothing.

    Raises:
        UnsupportedModelError: ONNX Runtime does not load the result.
    """
    embedded = embed(model, preparation, pending=pending)
    try:
        onnx.checker.check_model(embedded, full_check=True)
        EmbeddedModel(embedded.SerializeToString())
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, EdgeconvError) as error:
        raise UnsupportedModelError(
            f"The model with its preparation inside must load. Received: {one_line(error)}. "
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
    embedded = embed_verified(onnx.load_model_from_string(plain), preparation, pending=pending_of(manifest))
    return b"".join(embed_metadata(embedded, contract_inside(manifest), "e2e"))


def contract_inside(manifest: Manifest) -> Manifest:
    """Return the contract as it stands inside the file: a picture of any size in, answers with nothing pending out."""
    picture = ArraySpec(INPUT, "uint8", ("height", "width", "channels"), (0.0, 255.0), "picture")
    first, *others = (
        replace(output, name=embedded_name(output.name), shape=(1, *output.shape[1:]))
        for output in (manifest.output, *manifest.more_outputs)
    )
    if manifest.is_classifier:
        first = replace(first, kind="probabilities")
    if manifest.is_classifier or first.pending is not None:
        first = replace(first, value_range=(0.0, 1.0), pending=None)
    return replace(manifest, input=picture, output=first, more_outputs=tuple(others))
