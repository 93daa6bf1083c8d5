from __future__ import annotations

import numpy as np
import onnx

from edgeconv.conversion.graph.metadata import embed_metadata
from edgeconv.manifest import METADATA_KEY, VARIANT_KEY, ArraySpec, Manifest
from tests.conversion.graph.rewriting import graph_of, node

IMAGE = ArraySpec("image", "uint8", ("batch", 8, 8, 3), (0.0, 255.0), "pixels")
SCORES = ArraySpec("scores", "float32", ("batch", 2), (0.0, 1.0), "probabilities")
CONTRACT = Manifest(name="m", input=IMAGE, preprocess=None, output=SCORES, labels=("no", "yes"), variants={})


def test_the_contract_takes_the_place_of_metadata_and_all_is_written_as_protobuf_itself_would() -> None:
    model = graph_of([node("Mul", ["x", "k"], ["y"])], {"k": np.ones(3, np.float32)}, {"x": ["batch", 3]})
    parts = embed_metadata(model, CONTRACT, "fp32", model.SerializeToString(deterministic=True))
    assert parts == embed_metadata(model, CONTRACT, "fp32")
    read = onnx.load_from_string(b"".join(parts))
    assert read.SerializeToString(deterministic=True) == b"".join(parts)
    keys = [METADATA_KEY, VARIANT_KEY, "names", "Image.BitmapPixelFormat", "Image.NominalPixelRange"]
    assert [entry.key for entry in read.metadata_props] == keys

    onnx.helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    assert embed_metadata(model, CONTRACT, "fp32", model.SerializeToString(deterministic=True)) == parts
    assert len(model.metadata_props) == 1, "the model is as it was"
