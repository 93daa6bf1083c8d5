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
pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="pip install 'tritonclient[grpc,http]'")


from tests.bundling.triton.repository import config_of, session_of

LENGTH = "Inference-Header-Content-Length"


class Fake:
    """Answers what a Triton server with this repository would, by ONNX Runtime, and refuses what it would refuse."""

    def __init__(self, models: Path) -> None:
        self.configs = {path.name: config_of(path) for path in models.iterdir()}
        self.sessions = {path.name: session_of(path) for path in models.iterdir()}
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
    command = [sys.executable, "client.py", "--url", url, *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", check=False, env={"PYTHONUTF8": "1"}
    )
