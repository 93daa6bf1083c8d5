"""Start, reload and end: health while models load, SIGHUP, SIGTERM."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from edgeconv.runtime.runner import Runner
from tests.serving.running import serving

IMAGE = np.random.default_rng(0).integers(0, 256, (1, 12, 12, 3), np.uint8)


def body() -> bytes:
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 12, 12, 3], "data": IMAGE.ravel().tolist()}
    return json.dumps({"inputs": [tensor]}).encode()


def test_health_answers_before_models_are_there(tiny: Path) -> None:
    with serving(f"colours={tiny}", ready=False) as running:
        assert running.ask("/v2/health/live").status == 200
        deadline = time.monotonic() + 30
        while running.ask("/v2/health/ready").status != 200:
            assert time.monotonic() < deadline
        assert running.ask("/v2/models/colours/infer", body()).status == 200


def test_a_reload_loses_no_request_and_answers_with_the_new_model(tiny: Path, tmp_path: Path) -> None:
    """Requests go on while the file is replaced by another variant's, and change from its answers to the new ones'."""
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copy(tiny / "model.int8.onnx", folder / "model.onnx")
    wanted = [Runner(tiny / f"model{kind}.onnx").run({"image": IMAGE})["probabilities"][0] for kind in (".int8", "")]
    assert np.abs(wanted[0] - wanted[1]).max() > 1e-4
    answers: list[tuple[int, list[float]]] = []
    with serving(f"colours={folder / 'model.onnx'}") as running:
        stop = threading.Event()

        def ask() -> None:
            connection = http.client.HTTPConnection(running.address, timeout=30)
            while not stop.is_set():
                connection.request("POST", "/v2/models/colours/infer", body())
                response = connection.getresponse()
                answers.append((response.status, json.loads(response.read())["outputs"][0]["data"]))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        shutil.copy(tiny / "model.onnx", folder / "new.onnx")
        (folder / "new.onnx").replace(folder / "model.onnx")
        running.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while not (answers and np.allclose(answers[-1][1], wanted[1], atol=1e-6)) and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
    assert {status for status, _ in answers} == {200}
    kinds = [[np.allclose(found, one, atol=1e-5) for one in wanted] for _, found in answers]
    assert all(sum(kind) == 1 for kind in kinds), "an answer of neither model"
    assert [True, False] in kinds
    assert kinds[-1] == [False, True]


def test_a_model_that_is_broken_since_does_not_replace_the_one_that_answers(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    with serving(f"colours={folder}") as running:
        (folder / "model.int8.onnx").write_bytes(b"damaged")
        running.process.send_signal(signal.SIGHUP)
        running.wait_for("`colours` cannot be loaded")
        assert running.ask("/v2/models/colours/infer", body()).status == 200
        answer = running.ask("/v2/repository/models/colours/load", b"")
        assert (answer.status, answer.json["error"][:50]) == (500, "`colours` must be a model that answers as Keras di")
        assert running.ask("/v2/health/ready").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_answers_what_was_accepted_and_takes_nothing_new(tiny: Path, number: signal.Signals) -> None:
    with serving(f"colours={tiny}", "--grace", "5") as running:
        idle = http.client.HTTPConnection(running.address, timeout=30)
        idle.request("GET", "/v2/health/live")
        assert idle.getresponse().read()
        accepted = http.client.HTTPConnection(running.address, timeout=30)
        sent = body()
        accepted.putrequest("POST", "/v2/models/colours/infer")
        accepted.putheader("Content-Length", str(len(sent)))
        accepted.endheaders()
        accepted.send(sent[:-10])
        time.sleep(0.2)
        running.process.send_signal(number)
        time.sleep(0.5)
        with pytest.raises(ConnectionError):
            http.client.HTTPConnection(running.address, timeout=5).request("GET", "/v2")
        accepted.send(sent[-10:])
        response = accepted.getresponse()
        assert (response.status, response.headers["connection"]) == (200, "close")
        assert running.process.wait(timeout=10) == 0


def test_the_end_comes_within_its_grace(tiny: Path) -> None:
    """A request whose rest never comes holds nobody up."""
    with serving(f"colours={tiny}", "--grace", "1") as running:
        half = http.client.HTTPConnection(running.address, timeout=30)
        half.putrequest("POST", "/v2/models/colours/infer")
        half.putheader("Content-Length", "100")
        half.endheaders()
        time.sleep(0.2)
        began = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=30) == 0
        assert time.monotonic() - began < 10
