"""The model repository against Triton's own schema, ONNX Runtime, and a server that speaks its protocol."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

pytest.importorskip("onnx", reason="needs the extra `train`")
pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[grpc,http]'")
schema = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="pip install 'tritonclient[grpc,http]'")

from google.protobuf import text_format  # noqa: E402

from edgeconv.bundling.bundler import bundle  # noqa: E402
from edgeconv.bundling.portable import portable  # noqa: E402
from edgeconv.runtime.loading import find_files  # noqa: E402
from tests.variations import with_disturbed_weights, with_flipped_polarity  # noqa: E402

NAMES = ("mnist_reference", "mnist_reference_picture")
NUMPY = {"UINT8": np.uint8, "FP32": np.float32}
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture(scope="module")
def made(make_bundle: Callable[[str], Path]) -> Path:
    return make_bundle("triton")


def _config(folder: Path) -> Any:
    return text_format.Parse((folder / "config.pbtxt").read_text(encoding="utf-8"), schema.ModelConfig())


def _session(folder: Path) -> ort.InferenceSession:
    """Open a model as Triton's backend does: with its threads, and without entries that it does not pass on."""
    config = _config(folder)
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(config.parameters["intra_op_thread_count"].string_value)
    options.log_severity_level = 3
    return ort.InferenceSession(str(folder / "1" / "model.onnx"), options, providers=["CPUExecutionProvider"])


def _described(tensors: Any, batched: bool) -> dict[str, tuple[str, list[int]]]:
    """Return names, types and sizes as ONNX Runtime says them in the words of a configuration."""
    types = {"tensor(uint8)": "TYPE_UINT8", "tensor(float)": "TYPE_FP32"}
    dims = {tensor.name: [axis if isinstance(axis, int) else -1 for axis in tensor.shape] for tensor in tensors}
    assert not batched or all(axes[0] == -1 for axes in dims.values())
    return {tensor.name: (types[tensor.type], dims[tensor.name][batched:]) for tensor in tensors}


def _assert_described(folder: Path) -> None:
    config, session = _config(folder), _session(folder)
    batched = config.max_batch_size > 0
    for said, real in ((config.input, session.get_inputs()), (config.output, session.get_outputs())):
        words = {tensor.name: (schema.DataType.Name(tensor.data_type), list(tensor.dims)) for tensor in said}
        assert words == _described(real, batched)


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_names_what_the_model_has(name: str, made: Path) -> None:
    config = _config(made / "models" / name)
    assert (config.name, config.backend) == (name, "onnxruntime")
    _assert_described(made / "models" / name)


def test_there_is_nothing_else_in_the_repository(made: Path) -> None:
    assert {path.name for path in (made / "models").iterdir()} == set(NAMES)
    for name in NAMES:
        files = {path.relative_to(made / "models" / name).as_posix() for path in (made / "models" / name).rglob("*.*")}
        assert files == {"config.pbtxt", "labels.txt", "1/model.onnx", "warmup/picture.bin"}


def test_only_the_model_of_prepared_images_batches(made: Path) -> None:
    plain, picture = (_config(made / "models" / name) for name in NAMES)
    assert plain.max_batch_size == 64
    assert plain.HasField("dynamic_batching")
    assert plain.dynamic_batching.max_queue_delay_microseconds == 0
    assert (picture.max_batch_size, picture.HasField("dynamic_batching")) == (0, False)


@pytest.mark.parametrize("name", NAMES)
def test_models_run_on_the_cpu_with_one_thread(name: str, made: Path) -> None:
    config = _config(made / "models" / name)
    (group,) = config.instance_group
    assert (group.kind, group.count) == (schema.ModelInstanceGroup.KIND_CPU, 1)
    assert {key: value.string_value for key, value in config.parameters.items()} == {
        "intra_op_thread_count": "1",
        "inter_op_thread_count": "1",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_warm_up_sample_runs(name: str, made: Path) -> None:
    config, session = _config(made / "models" / name), _session(made / "models" / name)
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
    (output,) = (output for output in _config(made / "models" / name).output if output.label_filename)
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
        _assert_described(made / "models" / name)
        text = (made / "models" / name / "labels.txt").read_text(encoding="utf-8")
        assert text == '"quoted"\nÜbergröße\n🦊 \\\n'
    assert "# Holds logits" in (made / "models" / "my_model_2" / "config.pbtxt").read_text()
    with _serving(made) as url:
        done = _client(made, url, "--selftest")
    assert done.returncode == 0, done.stderr


class _Fake:
    """Answers what a Triton server with this repository would, by ONNX Runtime, and refuses what it would refuse."""

    def __init__(self, models: Path) -> None:
        self.configs = {path.name: _config(path) for path in models.iterdir()}
        self.sessions = {path.name: _session(path) for path in models.iterdir()}
        self.sizes: list[int] = []

    def infer(self, name: str, body: bytes, head: int) -> tuple[dict[str, Any], bytes]:
        config, asked = self.configs[name], json.loads(body[:head])
        (given,) = asked["inputs"]
        (known,) = config.input
        dims = given["shape"][1:] if config.max_batch_size else given["shape"]
        size = given["shape"][0] if config.max_batch_size else 0
        fits = len(dims) == len(known.dims) and all(
            axis in {-1, dim} for axis, dim in zip(known.dims, dims, strict=True)
        )
        if not fits or size > config.max_batch_size or given["name"] != known.name or given["datatype"] != "UINT8":
            raise ValueError(f"unexpected shape {given['shape']} for input '{given['name']}'")
        assert given["parameters"]["binary_data_size"] == len(body) - head == np.prod(given["shape"])
        self.sizes.append(size)
        pixels = np.frombuffer(body[head:], np.uint8).reshape(given["shape"])
        names = [output["name"] for output in asked["outputs"]]
        assert all(output["parameters"]["binary_data"] for output in asked["outputs"])
        arrays = self.sessions[name].run(names, {known.name: pixels})
        outputs = [
            {
                "name": output,
                "datatype": "FP32" if array.dtype == np.float32 else "UINT8",
                "shape": list(array.shape),
                "parameters": {"binary_data_size": array.nbytes},
            }
            for output, array in zip(names, arrays, strict=True)
        ]
        return {"model_name": name, "model_version": "1", "outputs": outputs}, b"".join(a.tobytes() for a in arrays)


@contextmanager
def _serving(folder: Path, fake: _Fake | None = None) -> Iterator[str]:
    """Serve a bundle's models over the v2 protocol; yield host and port."""
    triton = fake or _Fake(folder / "models")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            _, _, models, name, infer = self.path.split("/")
            assert (models, infer) == ("models", "infer")
            try:
                answer, data = triton.infer(name, body, int(self.headers[LENGTH]))
                status = 200
            except (KeyError, ValueError) as error:
                answer, data, status = {"error": str(error)}, b"", 400
            head = json.dumps(answer).encode()
            self.send_response(status)
            if data:
                self.send_header(LENGTH, str(len(head)))
            self.send_header("Content-Length", str(len(head) + len(data)))
            self.end_headers()
            self.wfile.write(head + data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _client(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "client.py", "--url", url, *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", check=False, env={"PYTHONUTF8": "1"}
    )


def test_the_client_names_what_pictures_show(made: Path, seven: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    with Image.open(seven) as picture:
        picture.convert("RGBA").save(tmp_path / "seven.png")
    with _serving(made) as url:
        done = _client(made, url, str(seven), str(tmp_path / "seven.png"), str(tmp_path / "blank.png"))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["label"] for row in rows] == ["7", "7", None]
    assert rows[0]["probability"] > 0.9
    assert rows[2]["reason"] == "nothing was found in it"


def test_the_self_test_passes_and_asks_for_prepared_images_in_one_batch(made: Path) -> None:
    fake = _Fake(made / "models")
    with _serving(made, fake) as url:
        done = _client(made, url, "--selftest", "--rows")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("PASS: 16 samples; preparation within 0 of 1 grey levels, probabilities within 0.0")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["sample"] for row in rows] == list(range(16))
    assert [int(np.argmax(row["probabilities"])) for row in rows] == [row["label"] for row in rows]
    assert sorted(fake.sizes) == [0] * 16 + [16]


def _flipped(model: bytes) -> bytes:
    """Return another model than the one that is given, made as Triton needs it."""
    assert model
    return portable(with_flipped_polarity(), "int8")


def _with_changed(made: Path, out: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    shutil.copytree(made, out)
    model = out / "models" / name / "1" / "model.onnx"
    model.write_bytes(change(model.read_bytes()))
    return out


@pytest.mark.parametrize(
    ("name", "change", "found", "not_found"),
    [
        ("mnist_reference_picture", _flipped, "FAIL: preparation is off", "inference is off"),
        ("mnist_reference_picture", with_disturbed_weights, "FAIL: inference is off", "preparation is off"),
        ("mnist_reference", with_disturbed_weights, "FAIL: inference is off", "preparation is off"),
    ],
)
def test_the_self_test_names_what_is_off(
    name: str, change: Callable[[bytes], bytes], found: str, not_found: str, made: Path, tmp_path: Path
) -> None:
    folder = _with_changed(made, tmp_path / "changed", name, change)
    with _serving(folder) as url:
        done = _client(folder, url, "--selftest")
    assert done.returncode == 1
    assert found in done.stderr
    assert not_found not in done.stderr


def test_the_client_says_in_one_line_what_is_wrong(made: Path, tmp_path: Path) -> None:
    (tmp_path / "damaged.bin").write_bytes((made / "selftest.bin").read_bytes()[:-1])
    (tmp_path / "foreign.bin").write_bytes(b"no self-test of any kind, but long enough for a header")
    (tmp_path / "text.png").write_text("not a picture")
    with _serving(made) as url:
        for arguments, words in (
            (["--selftest", str(tmp_path / "damaged.bin")], "is damaged"),
            (["--selftest", str(tmp_path / "foreign.bin")], "is no self-test"),
            (["--selftest", str(tmp_path / "absent.bin")], "cannot be read: No such file"),
            ([str(tmp_path / "text.png")], "cannot be read"),
        ):
            done = _client(made, url, *arguments)
            assert (done.returncode, done.stderr.count("\n"), words in done.stderr) == (1, 1, True), done.stderr
    done = _client(made, url, "--selftest")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"Error: mnist_reference at {url}: ")


def test_the_models_are_right_without_session_options_on_this_processor(made: Path) -> None:
    from edgeconv.bundling.collect import gather

    facts = gather(find_files(Path(__file__).parents[2] / "exported" / "mnist-reference"), "int8")
    plain = _session(made / "models" / "mnist_reference")
    (answers,) = plain.run(None, {"image": np.stack([sample.prepared for sample in facts.samples])})
    wanted = np.stack([sample.probabilities for sample in facts.samples])
    assert np.abs(answers - wanted).max() <= facts.tolerances.probabilities


@pytest.mark.parametrize("check", [["format", "--check"], ["check", "--select", "E4,E7,E9,F,W,I,UP,B"]])
def test_the_client_passes_formatter_and_linter(check: list[str], made: Path) -> None:
    command = [sys.executable, "-m", "ruff", *check, "--isolated", "client.py"]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
