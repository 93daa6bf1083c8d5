"""The server as Triton's own client sees it over gRPC."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.runtime.runner import Runner
from tests.serving.running import serving

grpc = pytest.importorskip("tritonclient.grpc", reason="pip install 'tritonclient[grpc]'")
InferenceServerException = pytest.importorskip("tritonclient.utils").InferenceServerException

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), np.uint8)
KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def client(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a client of a server that wants a key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(KEY)
    arguments = (f"colours={tiny}", "--grpc-port", port, "--api-keys", keys)
    with serving(*arguments), grpc.InferenceServerClient(f"127.0.0.1:{port}") as made:
        yield made


HEADERS = {"authorization": f"Bearer {KEY}"}


def image() -> Any:
    given = grpc.InferInput("image", IMAGES.shape, "UINT8")
    given.set_data_from_numpy(IMAGES)
    return given


def test_the_server_and_its_models_are_described(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("colours", headers=HEADERS)
    assert not client.is_model_ready("nothing", headers=HEADERS)
    assert client.get_server_metadata(headers=HEADERS).name == "edgeconv"
    (given,) = client.get_model_metadata("colours", headers=HEADERS).inputs
    assert (given.name, given.datatype, list(given.shape)) == ("image", "UINT8", [-1, 12, 12, 3])
    assert client.get_model_config("colours", headers=HEADERS).config.max_batch_size == 32


def test_arrays_classes_and_pictures_are_answered(client: Any, tiny: Path, seven: Path) -> None:
    expected = Runner(tiny).run({"image": IMAGES})["probabilities"]
    answer = client.infer("colours", [image()], headers=HEADERS, request_id="mine")
    np.testing.assert_allclose(answer.as_numpy("probabilities"), expected, rtol=1e-6)
    assert answer.get_response().id == "mine"
    wanted = [grpc.InferRequestedOutput("probabilities", class_count=1)]
    best = client.infer("colours", [image()], outputs=wanted, headers=HEADERS).as_numpy("probabilities")
    assert [int(one.decode().split(":")[1]) for one in best.ravel()] == expected.argmax(axis=1).tolist()
    picture = grpc.InferInput("picture", [1], "BYTES")
    picture.set_data_from_numpy(np.array([seven.read_bytes()], object))
    assert client.infer("colours", [picture], headers=HEADERS).as_numpy("probabilities").shape == (1, 3)


def test_a_stream_is_answered(client: Any) -> None:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)), headers=HEADERS)
    client.async_stream_infer("colours", [image()])
    client.async_stream_infer("nothing", [image()])
    (good, none), (nothing, error) = answers.get(timeout=30), answers.get(timeout=30)
    client.stop_stream()
    assert (good.as_numpy("probabilities").shape, none, nothing) == ((5, 3), None, None)
    assert "must be one of colours" in str(error)


def test_what_does_not_fit_is_refused(client: Any) -> None:
    for headers, words in (({}, "A key is required"), ({"authorization": "Bearer wrong-wrong-wrong"}, "A key is")):
        with pytest.raises(InferenceServerException, match=words):
            client.infer("colours", [image()], headers=headers)
    with pytest.raises(InferenceServerException, match=r"NOT_FOUND.*must be one of colours"):
        client.infer("nothing", [image()], headers=HEADERS)
    wrong = grpc.InferInput("other", IMAGES.shape, "UINT8")
    wrong.set_data_from_numpy(IMAGES)
    with pytest.raises(InferenceServerException, match=r"INVALID_ARGUMENT.*takes arrays named image"):
        client.infer("colours", [wrong], headers=HEADERS)


def test_models_are_unloaded_and_loaded(client: Any) -> None:
    client.unload_model("colours", headers=HEADERS)
    assert [row.state for row in client.get_model_repository_index(headers=HEADERS).models] == ["UNAVAILABLE"]
    with pytest.raises(InferenceServerException, match="UNAVAILABLE"):
        client.infer("colours", [image()], headers=HEADERS)
    client.load_model("colours", headers=HEADERS)
    assert client.infer("colours", [image()], headers=HEADERS).as_numpy("probabilities").shape == (5, 3)
