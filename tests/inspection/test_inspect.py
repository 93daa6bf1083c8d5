from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")

from edgeconv.conversion.graph.runtimes import RELEASES, first_runtime  # noqa: E402
from edgeconv.errors import ArtifactError, SchemaVersionError  # noqa: E402
from edgeconv.inspection.inspect import inspect  # noqa: E402
from edgeconv.manifest import METADATA_KEY, VARIANT_KEY, ArraySpec, Manifest, Variant  # noqa: E402
from edgeconv.manifest_blocks import FloatNode  # noqa: E402
from tests.conversion.graph.graphs import FLOAT, book_convnet, int8_model, model_of, node, zeros  # noqa: E402
from tests.manifests import quantization  # noqa: E402


def save(model: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def stamped(model: Any, manifest: Manifest, variant: str) -> Any:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    onnx.helper.set_model_props(copy, {METADATA_KEY: manifest.as_metadata(), VARIANT_KEY: variant, "names": "x" * 500})
    return copy


def manifest_of(**variants: Variant) -> Manifest:
    return Manifest(
        "digits",
        ArraySpec("image", "uint8", ("batch", 28, 28, 1), (0.0, 255.0), "pixels"),
        None,
        ArraySpec("probabilities", "float32", ("batch", 10), (0.0, 1.0), "probabilities"),
        tuple("0123456789"),
        variants,
    )


def artifact(folder: Path) -> Path:
    """Write an artifact with both variants."""
    reason = FloatNode("dense/Softmax", "Softmax", "too coarse")
    int8 = Variant("model.int8.onnx", 17, 8, quantization(), (reason,))
    bare = {"fp32": Variant("model.onnx", 17, 8), "int8": int8}
    models = {"fp32": book_convnet(), "int8": int8_model()}
    weighed = {}
    for name, variant in bare.items():
        path = save(stamped(models[name], manifest_of(**bare), name), folder / variant.file)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        weighed[name] = replace(variant, size_bytes=path.stat().st_size, sha256=digest)
    (folder / "manifest.json").write_text(json.dumps(manifest_of(**weighed).as_dict()))
    return folder


def test_the_books_convnet_has_its_parameters_and_multiply_adds(tmp_path):
    file = inspect(save(book_convnet(), tmp_path / "model.onnx")).files[0]
    assert file.parameters == 93_322
    # Output pixels x output channels x what each sums: kernel pixels x input channels.
    convolutions = 26 * 26 * 32 * 9 + 11 * 11 * 64 * 9 * 32 + 3 * 3 * 64 * 9 * 64
    assert file.multiply_adds == convolutions + 576 * 64 + 64 * 10 == 2_794_240
    assert file.multiply_adds_int8 == 0
    assert file.weights == {"float32": 93_322}


def test_layers_have_names_shapes_and_costs(tmp_path):
    layers = {layer.name: layer for layer in inspect(save(book_convnet(), tmp_path / "model.onnx")).files[0].layers}
    assert list(layers)[:3] == ["input/Cast", "conv2d/Reshape", "conv2d/Conv"]
    conv = layers["conv2d_1/Conv"]
    assert conv.output_shape == ("batch", 64, 11, 11)
    assert (conv.parameters, conv.multiply_adds) == (18_496, 11 * 11 * 64 * 9 * 32)
    assert layers["flatten/Reshape"].output_shape == ("batch", 576)
    assert layers["flatten/Reshape"].parameters == 0
    assert {layer.precision for layer in layers.values()} == {"float32"}


def test_an_int8_file_counts_its_weights_and_not_its_scales(tmp_path):
    file = inspect(save(int8_model(), tmp_path / "model.int8.onnx")).files[0]
    assert file.weights == {"int32": 2, "int8": 18 + 24}
    assert file.parameters == 44
    assert file.multiply_adds == file.multiply_adds_int8 == 2 * 2 * 2 * 9 + 8 * 3


def test_quantizers_are_folded_into_their_layers(tmp_path):
    layers = inspect(save(int8_model(), tmp_path / "model.int8.onnx")).files[0].layers
    assert [(layer.name, layer.precision) for layer in layers] == [
        ("conv/Reshape", "uint8"),
        ("conv/Conv", "int8"),
        ("conv/Relu", "int8"),
        ("flatten/Flatten", "int8"),
        ("dense/Gemm", "int8"),
        ("dense/Softmax", "float32"),
    ]
    assert [layer.parameters for layer in layers] == [0, 20, 0, 0, 24, 0]


def test_an_artifact_shows_each_variant_with_its_contract(tmp_path):
    inspection = inspect(artifact(tmp_path / "digits"))
    assert inspection.manifest is not None
    assert inspection.manifest.name == "digits"
    fp32, int8 = inspection.files
    assert (fp32.variant, int8.variant) == ("fp32", "int8")
    assert fp32.intact is True
    assert int8.intact is True
    assert int8.float_nodes[0].reason == "too coarse"
    assert int8.size_bytes == int8.path.stat().st_size
    assert (fp32.opsets, fp32.ir_version, fp32.producer, fp32.first_runtime) == ({"": 17}, 8, "test", "1.12")
    assert (fp32.inputs[0].name, fp32.inputs[0].dtype, fp32.inputs[0].shape) == ("image", "uint8", ("batch", 28, 28, 1))
    assert fp32.operators == {"Cast": 1, "Conv": 3, "Gemm": 2, "MaxPool": 2, "Relu": 1, "Reshape": 2, "Softmax": 1}
    assert int8.operators["DequantizeLinear"] == 6
    assert [file.variant for file in inspect(tmp_path / "digits", variant="int8").files] == ["int8"]


def test_an_inspection_is_json(tmp_path):
    value = json.loads(json.dumps(inspect(artifact(tmp_path / "digits")).as_dict()))
    assert value["files"][0]["parameters"] == 93_322
    assert value["files"][0]["layers"][2]["output_shape"] == ["batch", 32, 26, 26]
    assert value["manifest"]["name"] == "digits"


def test_long_metadata_is_cut(tmp_path):
    metadata = inspect(artifact(tmp_path / "digits")).files[0].metadata
    assert metadata[METADATA_KEY].startswith("the contract, ")
    assert metadata["names"] == "x" * 160 + "... (500 characters)"


def test_a_changed_file_is_not_intact(tmp_path):
    folder = artifact(tmp_path / "digits")
    changed = onnx.load(folder / "model.onnx")
    changed.doc_string = "changed"
    save(changed, folder / "model.onnx")
    assert [file.intact for file in inspect(folder).files] == [False, True]


def test_a_lone_file_carries_its_contract(tmp_path):
    inspection = inspect(str(artifact(tmp_path / "digits") / "model.int8.onnx"))
    (file,) = inspection.files
    assert inspection.manifest is not None
    assert (file.variant, file.intact) == ("int8", None)


def test_a_file_of_another_program_is_listed(tmp_path):
    inspection = inspect(save(book_convnet(), tmp_path / "any.onnx"))
    assert inspection.manifest is None
    assert inspection.files[0].variant is None
    assert inspection.as_dict()["manifest"] is None


def test_operators_of_other_domains_are_listed(tmp_path):
    model = model_of(
        [node("Mystery", ["image", "k"], ["probabilities"], "m/Mystery", domain="com.example")],
        {"k": zeros(3)},
        ("batch", 4),
        ("batch", 4),
        domains=("com.example",),
    )
    file = inspect(save(model, tmp_path / "model.onnx")).files[0]
    assert file.layers[0].operator == "com.example.Mystery"
    assert (file.multiply_adds, file.first_runtime, file.parameters) == (None, None, 3)
    assert file.opsets == {"": 17, "com.example": 1}


def test_branches_are_counted_as_operators(tmp_path):
    def branch(operator: str) -> Any:
        output = onnx.helper.make_tensor_value_info("out", FLOAT, None)
        return onnx.helper.make_graph([node(operator, ["image"], ["out"])], "branch", [], [output])

    model = model_of(
        [
            node("ReduceSum", ["image"], ["sum"], keepdims=0),
            node("Cast", ["sum"], ["condition"], to=onnx.TensorProto.BOOL),
            node("If", ["condition"], ["probabilities"], then_branch=branch("Relu"), else_branch=branch("Neg")),
        ],
        {},
        ("batch", 4),
        ("batch", 4),
    )
    file = inspect(save(model, tmp_path / "model.onnx")).files[0]
    assert file.operators == {"Cast": 1, "If": 1, "Neg": 1, "ReduceSum": 1, "Relu": 1}
    assert file.multiply_adds is None


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x08"], ids=["empty", "text", "without a graph"])
def test_a_file_that_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"must be an ONNX file\. Received: \d+ bytes .*Export the model again"):
        inspect(path)


@pytest.mark.parametrize("where", ["initializer", "node", "branch"])
def test_weights_in_other_files_are_refused(tmp_path, where):
    tensor = onnx.numpy_helper.from_array(zeros(4), "secret")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    constant = node("Constant", [], ["secret"], value=tensor)
    model = model_of([node("Add", ["image", "secret"], ["probabilities"])], {}, ("batch", 4), ("batch", 4))
    if where == "initializer":
        model.graph.initializer.append(tensor)
    elif where == "node":
        model.graph.node.insert(0, constant)
    else:
        output = onnx.helper.make_tensor_value_info("secret", FLOAT, [4])
        body = onnx.helper.make_graph([constant], "branch", [], [output])
        model.graph.node.append(node("If", ["image"], ["y"], then_branch=body, else_branch=body))
    with pytest.raises(ArtifactError, match=r"must hold all of its weights\. Received: `secret` in another file"):
        inspect(save(model, tmp_path / "model.onnx"))


def test_a_manifest_that_leads_out_of_its_folder_is_refused(tmp_path):
    save(book_convnet(), tmp_path / "outside.onnx")
    folder = tmp_path / "digits"
    folder.mkdir()
    manifest = manifest_of(fp32=Variant("../outside.onnx", 17, 8))
    (folder / "manifest.json").write_text(json.dumps(manifest.as_dict()))
    with pytest.raises(ArtifactError, match=r"must name files of its own folder. Received: '\.\./outside.onnx'"):
        inspect(folder)


def test_what_is_absent_is_named(tmp_path):
    with pytest.raises(
        ArtifactError, match=r"must be an artifact's folder or an `\.onnx` file\. Received: no such path"
    ):
        inspect(tmp_path / "nowhere")
    with pytest.raises(ArtifactError, match=r"manifest.json` is required"):
        inspect(tmp_path)
    folder = artifact(tmp_path / "digits")
    with pytest.raises(ArtifactError, match=r"must hold the variant int4\. Received: fp32, int8"):
        inspect(folder, variant="int4")
    with pytest.raises(ArtifactError, match=r"must hold the variant fp32\. Received: int8"):
        inspect(folder / "model.int8.onnx", variant="fp32")
    (folder / "model.onnx").unlink()
    with pytest.raises(ArtifactError, match=r"model.onnx` is required. Received: No such file"):
        inspect(folder)


def test_a_contract_of_the_future_is_refused(tmp_path):
    model = book_convnet()
    onnx.helper.set_model_props(model, {METADATA_KEY: '{"format": "edgeconv", "schema_version": 99}'})
    with pytest.raises(SchemaVersionError, match="schema version 99"):
        inspect(save(model, tmp_path / "model.onnx"))


def test_without_a_name_the_newest_artifact_is_taken(tmp_path, monkeypatch):
    artifact(tmp_path / "exported" / "old")
    new = artifact(tmp_path / "exported" / "new")
    os.utime(tmp_path / "exported" / "old" / "manifest.json", (1, 1))
    monkeypatch.chdir(tmp_path)
    assert inspect().path.resolve() == new


def test_the_first_runtime_loads_opset_and_format():
    assert first_runtime(17, 8) == "1.12"
    assert first_runtime(13, 7) == "1.6"
    assert first_runtime(17, 10) == "1.18"
    assert first_runtime(99, 8) is None
    assert first_runtime(17, 99) is None


def test_newer_runtimes_load_all_that_older_ones_load():
    for (_, opset, ir_version), (_, newer_opset, newer_ir_version) in pairwise(RELEASES):
        assert newer_opset >= opset
        assert newer_ir_version >= ir_version
        assert (newer_opset, newer_ir_version) != (opset, ir_version)


def test_the_installed_runtime_keeps_the_table():
    """What this machine's ONNX Runtime refuses or loads must be what the table says of its release."""
    ort = pytest.importorskip("onnxruntime")
    installed = _number(ort.__version__)
    limits = [limit for limit in RELEASES if _number(limit[0]) <= installed][-1]
    model = model_of([node("Relu", ["image"], ["probabilities"])], {}, (1,), (1,))
    model.opset_import[0].version, model.ir_version = limits[1], limits[2]
    ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    if installed <= _number(RELEASES[-1][0]):
        model.ir_version += 1
        with pytest.raises(Exception, match="Unsupported model IR version"):
            ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".")[:2])
