"""The model repository says what is so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")
pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[grpc,http]'")
schema = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="pip install 'tritonclient[grpc,http]'")


from edgeconv.bundling.bundler import bundle  # noqa: E402
from edgeconv.runtime.files import read_files  # noqa: E402
from tests.bundling.triton.repository import NAMES, assert_described, config_of, session_of  # noqa: E402
from tests.bundling.triton.serving import run_client, serving  # noqa: E402


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_names_what_the_model_has(name: str, made: Path) -> None:
    config = config_of(made / "models" / name)
    assert (config.name, config.backend) == (name, "onnxruntime")
    assert_described(made / "models" / name)


def test_there_is_nothing_else_in_the_repository(made: Path) -> None:
    assert {path.name for path in (made / "models").iterdir()} == set(NAMES)
    inputs = dict(zip(NAMES, ("image", "picture"), strict=True))
    for name in NAMES:
        files = {path.relative_to(made / "models" / name).as_posix() for path in (made / "models" / name).rglob("*.*")}
        assert files == {"config.pbtxt", "labels.txt", "1/model.onnx", f"warmup/{inputs[name]}.bin"}


def test_only_the_model_of_prepared_images_batches(made: Path) -> None:
    plain, picture = (config_of(made / "models" / name) for name in NAMES)
    assert plain.max_batch_size == 64
    assert plain.HasField("dynamic_batching")
    assert plain.dynamic_batching.max_queue_delay_microseconds == 0
    assert (picture.max_batch_size, picture.HasField("dynamic_batching")) == (0, False)


@pytest.mark.parametrize("name", NAMES)
def test_models_run_on_the_cpu_with_one_thread(name: str, made: Path) -> None:
    config = config_of(made / "models" / name)
    (group,) = config.instance_group
    assert (group.kind, group.count) == (schema.ModelInstanceGroup.KIND_CPU, 1)
    assert {key: value.string_value for key, value in config.parameters.items()} == {
        "intra_op_thread_count": "1",
        "inter_op_thread_count": "1",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_warm_up_sample_runs(name: str, made: Path) -> None:
    config, session = config_of(made / "models" / name), session_of(made / "models" / name)
    assert config.model_warmup
    for sample in config.model_warmup:
        ((key, value),) = sample.inputs.items()
        if value.HasField("input_data_file"):
            data = (made / "models" / name / "warmup" / value.input_data_file).read_bytes()
            assert len(data) == np.prod(value.dims)
            pixels = np.frombuffer(data, np.uint8).reshape(value.dims)
        else:
            pixels = np.zeros(value.dims, np.uint8)
        assert 1 <= sample.batch_size <= max(1, config.max_batch_size)
        given = np.stack([pixels] * sample.batch_size) if config.max_batch_size else pixels
        assert session.run(["probabilities"], {key: given})[0].shape == (sample.batch_size, 10)


@pytest.mark.parametrize("name", NAMES)
def test_the_labels_are_those_of_the_model_one_a_line(name: str, made: Path) -> None:
    (output,) = (output for output in config_of(made / "models" / name).output if output.label_filename)
    assert (made / "models" / name / output.label_filename).read_text().split("\n") == [*map(str, range(10)), ""]
    assert output.dims[-1] == 10


def test_logits_and_colours_are_described_as_they_are(tiny: Path, tmp_path: Path) -> None:
    labels = ['"quoted"', "Übergröße\n", "🦊 \\"]
    source = Path(shutil.copytree(tiny, tmp_path / "source"))
    manifest = json.loads((source / "manifest.json").read_text())
    del manifest["variants"]["e2e"]  # It takes the answers for probabilities; the bundle makes another.
    manifest |= {"labels": labels, "name": "My Model 2", "output": manifest["output"] | {"kind": "logits"}}
    (source / "manifest.json").write_text(json.dumps(manifest))
    made = bundle(source, target="triton", out=tmp_path / "made").path
    for name in ("my_model_2", "my_model_2_picture"):
        assert_described(made / "models" / name)
        text = (made / "models" / name / "labels.txt").read_text(encoding="utf-8")
        assert text == '"quoted"\nÜbergröße\n🦊 \\\n'
    assert "the first still needs: softmax" in (made / "README.md").read_text()
    with serving(made) as url:
        done = run_client(made, url, "--selftest")
    assert done.returncode == 0, done.stderr


def test_the_models_are_right_without_session_options_on_this_processor(made: Path) -> None:
    from edgeconv.bundling.collect import collect_context

    context = collect_context(read_files(Path(__file__).parents[3] / "exported" / "mnist-reference"), "int8")
    plain = session_of(made / "models" / "mnist_reference")
    (answers,) = plain.run(None, {"image": np.concatenate([sample.outputs[-1] for sample in context.samples])})
    wanted = np.concatenate([sample.outputs[0] for sample in context.samples])
    assert np.abs(answers - wanted).max() <= context.tolerances[0].limit
