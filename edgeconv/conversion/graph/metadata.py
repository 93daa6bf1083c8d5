"""The contract inside a file: an `.onnx` copied to a device says itself how it is to be fed."""

from __future__ import annotations

import json

import onnx

from edgeconv.manifest import METADATA_KEY, VARIANT_KEY, Manifest

PIXEL_FORMATS = {1: "Gray8", 3: "Rgb8", 4: "Rgba8"}
"""Names of Windows' BitmapPixelFormat, as the ONNX metadata convention for images has them
(github.com/onnx/onnx, docs/MetadataProps.md)."""


def embed_metadata(
    model: onnx.ModelProto, manifest: Manifest, variant: str, data: bytes | None = None
) -> tuple[bytes, bytes]:
    """Return the model with its contract in place of its metadata, in two parts of a file; equal for equal arguments.

    Protobuf reads messages that follow each other as one, so that the weights are neither written nor copied again.

    Args:
        model: left as it is.
        manifest: the contract.
        variant: which of the contract's variants this file is.
        data: the model as bytes, where these are at hand.
    """
    if data is None or model.metadata_props:
        bare = onnx.ModelProto()
        bare.CopyFrom(model)
        del bare.metadata_props[:]
        data = bare.SerializeToString(deterministic=True)
    entries = {
        METADATA_KEY: manifest.as_metadata(),
        VARIANT_KEY: variant,
        # Read by Netron, by Ultralytics' tools and by WinML.
        "names": json.dumps({str(index): label for index, label in enumerate(manifest.labels)}),
    }
    channels = manifest.input.shape[-1]
    if manifest.input.kind == "pixels" and channels in PIXEL_FORMATS:
        entries["Image.BitmapPixelFormat"] = PIXEL_FORMATS[int(channels)]
        entries["Image.NominalPixelRange"] = "NominalRange_0_255"
    contract = onnx.ModelProto()
    onnx.helper.set_model_props(contract, entries)
    return data, contract.SerializeToString(deterministic=True)
