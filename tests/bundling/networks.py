"""One small artifact for each row of the table of tasks, written without Keras: what every bundle must serve."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnx.parser
import onnxruntime as ort
from onnx import numpy_helper

from edgeconv.artifact import MANIFEST_FILE, SAMPLES_FILE, write_json
from edgeconv.manifest import ArraySpec, Manifest, Variant
from edgeconv.manifest_blocks import Boxes
from edgeconv.preparation import Preparation
from edgeconv.runtime.golden import ArraySamples, Samples

HEIGHT, WIDTH = 8, 6

_FEATURES = """
  floats = Cast <to = 1> (image)
  channels_first = Transpose <perm = [0, 3, 1, 2]> (floats)
  scaled = Mul (channels_first, scale)
  maps = Conv <pads = [1, 1, 1, 1]> (scaled, kernel)
  features = Relu (maps)
  means = ReduceMean <axes = [2, 3], keepdims = 0> (features)
"""
"""Pictures become `features`, (batch, 4, height, width), and their `means`, (batch, 4)."""

_CONSTANTS = {"scale": (), "kernel": (4, 3, 3, 3), "three": (4, 3), "one": (4, 1), "two": (4, 2), "pixel": (3, 4, 1, 1)}
_CONSTANTS |= {"eight": (4, 8), "six": (4, 6)}
_SHAPES = {"two_of_four": (-1, 2, 4), "two_of_three": (-1, 2, 3)}


class Network(NamedTuple):
    """A network of a task: the text of its graph behind the features, its arrays, and what its contract says."""

    task: str
    outputs: str
    body: str
    labels: tuple[str, ...] = ()
    inputs: str = f"uint8[batch, {HEIGHT}, {WIDTH}, 3] image"
    pending: str | None = None
    value_range: tuple[float, float] | None = None

    @property
    def takes_picture(self) -> bool:
        """Whether its one input is a picture."""
        return self.inputs.endswith(" image")


_MAP = "made = Conv (features, pixel)\n"
_PROBABILITY = (0.0, 1.0)

NETWORKS = {
    "classes": Network(
        "classes",
        "float[batch, 3] probabilities",
        "scores = MatMul (means, three)\nprobabilities = Softmax (scores)",
        ("ant", "bee", 'it\'s a "fly"'),
        value_range=_PROBABILITY,
    ),
    "tags": Network(
        "tags",
        "float[batch, 3] probabilities",
        "probabilities = MatMul (means, three)",
        ("sun", "sea", "sand"),
        pending="sigmoid",
    ),
    "yes-no": Network(
        "yes-no",
        "float[batch, 1] probability",
        "logit = MatMul (means, one)\nprobability = Sigmoid (logit)",
        ("no", "yes"),
        value_range=_PROBABILITY,
    ),
    "values": Network("values", "float[batch, 2] values", "values = MatMul (means, two)", ("left", "right")),
    "embedding": Network(
        "embedding",
        "float[batch, 3] embedding",
        "vector = MatMul (means, three)\nembedding = LpNormalization (vector)",
    ),
    "mask": Network(
        "mask",
        f"float[batch, {HEIGHT}, {WIDTH}, 3] mask",
        f"{_MAP}last = Transpose <perm = [0, 2, 3, 1]> (made)\nmask = Softmax (last)",
        ("sky", "roof", "wall"),
        value_range=_PROBABILITY,
    ),
    "picture": Network(
        "picture",
        f"float[batch, {HEIGHT}, {WIDTH}, 3] picture",
        f"{_MAP}picture = Transpose <perm = [0, 2, 3, 1]> (made)",
    ),
    "boxes": Network(
        "boxes",
        "float[batch, 2, 4] boxes, float[batch, 2, 3] scores",
        "corners = MatMul (means, eight)\nboxes = Reshape (corners, two_of_four)\n"
        "logits = MatMul (means, six)\nrows = Reshape (logits, two_of_three)\nscores = Sigmoid (rows)",
        ("cat", "dog", "hen"),
    ),
    "any with a picture": Network(
        "any",
        f"int64[batch, {HEIGHT}, {WIDTH}] best, float[batch, 4] means",
        # A value that has the name of an output of the file with the preparation inside.
        "prepared = Conv (features, pixel)\nbest = ArgMax <axis = 1, keepdims = 0> (prepared)",
    ),
    "any with arrays": Network(
        "any",
        "float[batch, 3] sums, bool[batch, 5] is_large, int64[batch, 5] doubled",
        "ids = Cast <to = 1> (words)\nweighted = MatMul (levels, three)\n"
        "total = ReduceSum (ids)\nsums = Add (weighted, total)\n"
        "limit = ReduceMax (words)\nis_large = Equal (words, limit)\ndoubled = Add (words, words)",
        inputs="float[batch, 4] levels, int64[batch, 5] words",
    ),
    "sequence": Network(
        "any",
        "float[batch, time, 3] steps",
        "steps = MatMul (sound, three)",
        inputs="float[batch, time, 4] sound",
    ),
}
"""One a row; `any` is there for a picture with several outputs, for several arrays, and for a sequence."""


def make_artifact(row: str, folder: Path) -> Path:
    """Write the artifact of a row of `NETWORKS`; return its folder."""
    network = NETWORKS[row]
    model = _graph(network)
    inputs, outputs = map(_specs, (model.graph.input, model.graph.output))
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    first = outputs[0]
    kind = "probabilities" if network.task == "classes" else "tensor"
    changes: dict[str, Any] = {"kind": kind, "value_range": network.value_range, "pending": network.pending}
    preparation = Preparation("resize", HEIGHT, WIDTH, 3) if network.takes_picture else None
    manifest = Manifest(
        name=f"small {row}",
        input=inputs[0],
        preprocess=preparation,
        output=ArraySpec(**{**_fields(first), **changes, "task": network.task}),
        labels=network.labels,
        variants={"fp32": Variant("model.onnx", 17, 8)},
        more_inputs=inputs[1:],
        more_outputs=outputs[1:],
        boxes=Boxes("xyxy", False, 0.25, 0.5, 100, "format=xyxy") if network.task == "boxes" else None,
    )
    write_json(folder / MANIFEST_FILE, manifest.as_dict())
    np.savez(folder / SAMPLES_FILE, **_samples(network, inputs, model))
    return folder


def _graph(network: Network) -> onnx.ModelProto:
    features = _FEATURES if network.takes_picture else ""
    text = f"net ({network.inputs}) => ({network.outputs}) {{\n{features}{network.body}\n}}"
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{text}')
    generator = np.random.default_rng(3)
    used = {name for node in model.graph.node for name in node.input}
    for name, shape in _CONSTANTS.items():
        array = np.float32(1 / 255) if name == "scale" else generator.normal(0, 1, shape).astype(np.float32)
        if name in used:
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
    for name in used & set(_SHAPES):
        model.graph.initializer.append(numpy_helper.from_array(np.array(_SHAPES[name]), name))
    onnx.checker.check_model(model, full_check=True)
    return model


def _specs(values: Any) -> tuple[ArraySpec, ...]:
    return tuple(
        ArraySpec(
            value.name,
            onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name,
            tuple(axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim),
            None,
            "pixels" if value.name == "image" else "tensor",
        )
        for value in values
    )


def _fields(spec: ArraySpec) -> dict[str, Any]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": spec.shape}


def _samples(network: Network, inputs: tuple[ArraySpec, ...], model: onnx.ModelProto) -> Mapping[str, Any]:
    generator = np.random.default_rng(5)
    arrays: dict[str, Any] = {}
    for spec in inputs:
        shape = tuple({"batch": 4, "time": 7}.get(str(size), size) for size in spec.shape)
        drawn = generator.normal(0, 1, shape) if spec.dtype == "float32" else generator.integers(0, 9, shape)
        if spec.name == "image":  # Pictures of an even colour each, and some noise.
            drawn = generator.integers(0, 200, (4, 1, 1, 3)) + generator.integers(0, 50, shape)
        arrays[spec.name] = drawn.astype(spec.dtype)
    if network.takes_picture and network.task not in {"any", "boxes"}:
        return Samples(arrays["image"], np.full(4, -1), np.zeros((4, 1), np.float32)).as_arrays()
    names = [value.name for value in model.graph.output]
    answers = ort.InferenceSession(model.SerializeToString()).run(names, arrays)
    return ArraySamples(arrays, dict(zip(names, answers, strict=True))).as_arrays()
