"""The shipped model in a headless Chromium by ONNX Runtime Web on WebGPU, which SwiftShader computes on the CPU."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.runtime.golden import Samples
from edgeconv.runtime.loading import reference_model
from tests.browsing import launched
from tests.bundling.npm import node_modules

ANSWER = """async ([file, count]) => {
    const ort = await import("/onnxruntime-web/dist/ort.webgpu.min.mjs");
    ort.env.wasm.wasmPaths = "/onnxruntime-web/dist/";
    ort.env.wasm.numThreads = 1;
    if (!(await navigator.gpu?.requestAdapter())) return null;
    const session = await ort.InferenceSession.create(file, {executionProviders: ["webgpu"]});
    const pixels = new Uint8Array(await (await fetch("/images.bin")).arrayBuffer());
    const {probabilities} = await session.run({image: new ort.Tensor("uint8", pixels, [count, 28, 28, 1])});
    return Array.from(probabilities.data);
}"""


@pytest.fixture(scope="module")
def page(make_bundle: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a page of a site that has ONNX Runtime Web, the models and the golden vectors; seconds."""
    folder, model = tmp_path_factory.mktemp("webgpu"), reference_model()
    assert model is not None
    modules = node_modules(make_bundle("web"), tmp_path_factory)
    (folder / "onnxruntime-web").symlink_to(modules / "onnxruntime-web")
    for name in ("model.onnx", "model.int8.onnx"):
        (folder / name).symlink_to(model.resolve() / name)
    (folder / "images.bin").write_bytes(Samples.load(model / "samples.npz").images.tobytes())
    (folder / "index.html").write_text("<!doctype html><title>models</title>", encoding="utf-8")
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, launched(webgpu=True) as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened = browser.new_page()
        opened.goto(f"http://127.0.0.1:{server.server_port}/")
        yield opened
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}  # noqa: RUF012

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


@pytest.mark.parametrize(("file", "most"), [("model.onnx", 1e-4), ("model.int8.onnx", 5e-3)])
def test_golden_vectors_get_their_answers(page: Any, file: str, most: float) -> None:
    """Compiles shaders on the CPU, seconds."""
    samples = Samples.load(reference_model() / "samples.npz")  # type: ignore[operator]
    answers = page.evaluate(ANSWER, [f"/{file}", len(samples.images)])
    if answers is None:
        pytest.skip("this Chromium has no WebGPU adapter")
    probabilities = np.reshape(answers, samples.probabilities.shape)
    assert (probabilities.argmax(axis=1) == samples.probabilities.argmax(axis=1)).all()
    np.testing.assert_allclose(probabilities, samples.probabilities, atol=most)
