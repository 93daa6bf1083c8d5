"""The file that holds a model and its preparation: names, shapes, operators, and equal bytes in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
from edgeconv.conversion.embedding.composition import embed  # noqa: E402
from edgeconv.preparation import Preparation  # noqa: E402
from edgeconv.runtime.loading import reference_model  # noqa: E402
from edgeconv.runtime.session import Session  # noqa: E402
from tests.conversion.embedding.embedded import Embedded, mean_model  # noqa: E402
from tests.rendering import stroke_digit  # noqa: E402

PREPARATIONS = {
    "digit": Preparation("digit", 28, 28, 1),
    "crop": Preparation("resize", 32, 24, 3),
    "pad": Preparation("resize", 32, 24, 1, fit="pad"),
}


@pytest.fixture(scope="module", params=PREPARATIONS)
def whole(request: pytest.FixtureRequest) -> tuple[Preparation, onnx.ModelProto]:
    preparation = PREPARATIONS[request.param]
    model = mean_model(preparation)
    onnx.helper.set_model_props(model, {"edgeconv": "the contract of the model alone"})
    return preparation, embed(model, preparation)


def _nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    inner = [_nodes(item.g) for node in graph.node for item in node.attribute if item.HasField("g")]
    return [*graph.node, *(node for nodes in inner for node in nodes)]


def _shape(value: onnx.ValueInfoProto) -> list[int | str]:
    return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]


def test_inputs_and_outputs(whole: tuple[Preparation, onnx.ModelProto]) -> None:
    preparation, model = whole
    (picture,), (probabilities, prepared) = model.graph.input, model.graph.output
    types = onnx.TensorProto
    assert (picture.name, picture.type.tensor_type.elem_type) == ("picture", types.UINT8)
    assert _shape(picture) == ["height", "width", "channels"]
    assert (probabilities.name, probabilities.type.tensor_type.elem_type) == ("probabilities", types.FLOAT)
    assert _shape(probabilities) == [1, 2]
    assert (prepared.name, prepared.type.tensor_type.elem_type) == ("prepared", types.UINT8)
    assert _shape(prepared) == [1, preparation.height, preparation.width, preparation.channels]


def test_the_file_is_plain_onnx(whole: tuple[Preparation, onnx.ModelProto]) -> None:
    _, model = whole
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    assert model.ir_version == 8
    assert not model.functions
    assert not model.metadata_props
    assert {node.domain for node in _nodes(model.graph)} == {""}


def test_a_digit_is_prepared_with_what_every_provider_has() -> None:
    """ONNX Runtime Web on WebGPU has no float64, OpenVINO no loops whose values have no known rank."""
    whole = embed(mean_model(PREPARATIONS["digit"]), PREPARATIONS["digit"])
    nodes = _nodes(whole.graph)
    assert not {"Loop", "Scan"} & {node.op_type for node in nodes}
    casts = {attribute.i for node in nodes if node.op_type == "Cast" for attribute in node.attribute}
    assert onnx.TensorProto.DOUBLE not in casts
    branches = [item.g for node in nodes for item in node.attribute if item.HasField("g")]
    held = {entry.data_type for graph in (whole.graph, *branches) for entry in graph.initializer}
    assert held == {onnx.TensorProto.FLOAT, onnx.TensorProto.INT64}


def test_nodes_are_named_after_the_preparation_and_once(whole: tuple[Preparation, onnx.ModelProto]) -> None:
    preparation, model = whole
    names = [node.name for node in _nodes(model.graph) if node.name]
    assert len(set(names)) == len(names)
    section = "preparation/digit/polarity/" if preparation.kind == "digit" else "preparation/rows/"
    assert any(name.startswith(section) for name in names)


def test_the_model_is_left_as_it_is() -> None:
    preparation = PREPARATIONS["crop"]
    model = mean_model(preparation)
    before = model.SerializeToString(deterministic=True)
    embed(model, preparation)
    assert model.SerializeToString(deterministic=True) == before


def test_logits_become_probabilities() -> None:
    preparation = PREPARATIONS["crop"]
    picture = np.full((40, 40, 3), 204, np.uint8)
    logits = Embedded(embed(mean_model(preparation), preparation)).answer(picture)
    powers = np.exp(logits)
    answer = Embedded(embed(mean_model(preparation), preparation, pending="softmax")).answer(picture)
    np.testing.assert_allclose(answer, powers / powers.sum(), rtol=1e-5)
    assert answer[0] > 0.6, "an even answer proves nothing"


_MAKE = """
import sys, onnx
from edgeconv.conversion.embedding.composition import embed
from edgeconv.preparation import Preparation
model = onnx.load(sys.argv[1])
whole = embed(model, Preparation("digit", 28, 28, 1))
sys.stdout.buffer.write(whole.SerializeToString(deterministic=True))
"""

_RUN = """
import sys, numpy as np, onnxruntime as ort
options = ort.SessionOptions()
options.add_session_config_entry("session.x64quantprecision", "1")
session = ort.InferenceSession(sys.stdin.buffer.read(), options, providers=["CPUExecutionProvider"])
session.run(None, {"picture": np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)})
"""


@pytest.fixture(scope="module")
def int8_file() -> Path:
    folder = reference_model()
    if folder is None:
        pytest.skip("the reference model is not there")
    return folder / "model.int8.onnx"


def test_equal_bytes_in_every_process(int8_file: Path) -> None:
    """Two fresh processes that import onnx: two seconds."""
    made = [
        subprocess.run(
            [sys.executable, "-c", _MAKE, str(int8_file)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1]
    assert len(made[0]) > 100_000


def test_int8_runs_without_warnings_where_weights_are_recoded(int8_file: Path) -> None:
    whole = embed(onnx.load(int8_file), PREPARATIONS["digit"])
    done = subprocess.run(
        [sys.executable, "-c", _RUN], input=whole.SerializeToString(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_int8_answers_as_the_model_alone(int8_file: Path) -> None:
    image = stroke_digit("4")[..., None]
    alone = Session(int8_file.read_bytes()).run(image[None])[0]
    whole = Embedded(embed(onnx.load(int8_file), PREPARATIONS["digit"])).answer(image)
    np.testing.assert_allclose(whole, alone, atol=1e-6)
