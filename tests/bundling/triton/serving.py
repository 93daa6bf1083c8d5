"""A server of the two models, in the place of Triton, and the bundle's client run against it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")
pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[grpc,http]'")
schema = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="pip install 'tritonclient[grpc,http]'")

from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype  # noqa: E402

from tests.bundling.triton.repository import config_of, session_of  # noqa: E402

LENGTH = "Inference-Header-Content-Length"


class Fake:
    """Answers what a Triton server with this repository would, by ONNX Runtime, and refuses what it would refuse."""

    def __init__(self, models: Path) -> None:
        self.configs = {path.name: config_of(path) for path in models.iterdir()}
        self.sessions = {path.name: session_of(path) for path in models.iterdir()}
        self.sizes: list[int] = []

    def infer(self, name: str, body: bytes, head: int) -> tuple[dict[str, Any], bytes]:
        config, asked = self.configs[name], json.loads(body[:head])
        feeds, place = {}, head
        for given, known in zip(asked["inputs"], config.input, strict=True):
            feeds[known.name] = _taken(given, known, config.max_batch_size, body[place:])
            place += feeds[known.name].nbytes
        assert place == len(body)
        self.sizes.append(asked["inputs"][0]["shape"][0] if config.max_batch_size else 0)
        names = [output["name"] for output in asked["outputs"]]
        assert all(output["parameters"]["binary_data"] for output in asked["outputs"])
        arrays = self.sessions[name].run(names, feeds)
        outputs = [
            {
                "name": output,
                "datatype": np_to_triton_dtype(array.dtype),
                "shape": list(array.shape),
                "parameters": {"binary_data_size": array.nbytes},
            }
            for output, array in zip(names, arrays, strict=True)
        ]
        return {"model_name": name, "model_version": "1", "outputs": outputs}, b"".join(a.tobytes() for a in arrays)


def _taken(given: dict[str, Any], known: Any, most: int, body: bytes) -> Any:
    """Return what was sent for an input, or refuse it as Triton does."""
    shape, wanted = given["shape"], list(known.dims)
    fits = len(shape) == len(wanted) + bool(most) and (not most or shape[0] <= most)
    fits = fits and all(axis in {-1, dim} for axis, dim in zip(wanted, shape[bool(most) :], strict=True))
    dtype = schema.DataType.Name(known.data_type).removeprefix("TYPE_")
    if not fits or given["name"] != known.name or given["datatype"] != dtype:
        raise ValueError(f"unexpected shape {shape} for input '{given['name']}'")
    array = np.frombuffer(body, triton_to_np_dtype(dtype), int(np.prod(shape))).reshape(shape)
    assert given["parameters"]["binary_data_size"] == array.nbytes
    return array


@contextmanager
def serving(folder: Path, fake: Fake | None = None) -> Iterator[str]:
    """Serve a bundle's models over the v2 protocol; yield host and port."""
    triton = fake or Fake(folder / "models")

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


def run_client(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "client.py", "--url", url, *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", check=False, env={"PYTHONUTF8": "1"}
    )
