"""The server as Triton's own client sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.runner import Runner
from tests.serving.running import Server

http = pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[http]'")
InferenceServerException = pytest.importorskip("tritonclient.utils").InferenceServerException

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), np.uint8)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    with http.InferenceServerClient(server.address) as made:
        yield made


@pytest.fixture(scope="module")
def expected(tiny: Path) -> np.ndarray:
    return Runner(tiny).run({"image": IMAGES})["probabilities"]


def image(binary: bool = True, images: np.ndarray = IMAGES) -> Any:
    given = http.InferInput("image", images.shape, "UINT8")
    given.set_data_from_numpy(images, binary_data=binary)
    return given


def test_the_server_and_its_models_are_described(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("colours")
    assert client.is_model_ready("colours", "1")
    assert not client.is_model_ready("nothing")
    assert client.get_server_metadata()["name"] == "edgeconv"
    described = client.get_model_metadata("colours", "1")
    assert described["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, 12, 12, 3]}]
    assert described["outputs"] == [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}]
    config = client.get_model_config("colours")
    assert config["max_batch_size"] == 32
    assert config["input"] == [{"name": "image", "data_type": "TYPE_UINT8", "dims": [12, 12, 3]}]


@pytest.mark.parametrize("binary_input", [True, False])
@pytest.mark.parametrize("binary_output", [True, False, None])
def test_arrays_are_answered(client: Any, expected: np.ndarray, binary_input: bool, binary_output: bool | None) -> None:
    wanted = None if binary_output is None else [http.InferRequestedOutput("probabilities", binary_data=binary_output)]
    answer = client.infer("colours", [image(binary_input)], outputs=wanted, request_id="mine")
    np.testing.assert_allclose(answer.as_numpy("probabilities"), expected, rtol=1e-6)
    assert answer.get_response()["id"] == "mine"
    assert (answer.get_response()["model_name"], answer.get_response()["model_version"]) == ("colours", "1")


@pytest.mark.parametrize("packed", ["gzip", "deflate"])
def test_a_body_may_be_packed(client: Any, expected: np.ndarray, packed: str) -> None:
    answer = client.infer("colours", [image()], request_compression_algorithm=packed)
    np.testing.assert_allclose(answer.as_numpy("probabilities"), expected, rtol=1e-6)


def test_requests_overlap(client: Any, server: Server, expected: np.ndarray) -> None:
    with http.InferenceServerClient(server.address, concurrency=4) as several:
        waiting = [several.async_infer("colours", [image(images=IMAGES[place : place + 1])]) for place in range(5)]
        answers = [answer.get_result().as_numpy("probabilities") for answer in waiting]
    np.testing.assert_allclose(np.concatenate(answers), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("binary", [True, False])
def test_classes_best_first(client: Any, expected: np.ndarray, binary: bool) -> None:
    wanted = [http.InferRequestedOutput("probabilities", binary_data=binary, class_count=2)]
    found = client.infer("colours", [image()], outputs=wanted).as_numpy("probabilities")
    assert found.shape == (5, 2)
    value, index, label = (found[0, 0] if binary else found[0, 0].encode()).decode().split(":")
    assert int(index) == expected[0].argmax()
    assert label == ("red", "green", "blue")[int(index)]
    assert float(value) == pytest.approx(expected[0].max(), abs=1e-6)


def test_a_picture_in_a_file_is_answered(client: Any, seven: Path) -> None:
    content = seven.read_bytes()
    given = http.InferInput("picture", [1], "BYTES")
    given.set_data_from_numpy(np.array([content], object))
    wanted = [http.InferRequestedOutput(name) for name in ("probabilities", "prepared")]
    answer = client.infer("digits", [given], outputs=wanted)
    predictor = Predictor(reference_model(), device="cpu")
    prepared = predictor.prepare(content)
    np.testing.assert_array_equal(answer.as_numpy("prepared")[0], prepared)
    np.testing.assert_allclose(answer.as_numpy("probabilities"), predictor.probabilities(prepared[None]), atol=1e-6)


def test_models_are_listed_unloaded_and_loaded(client: Any) -> None:
    def states() -> dict[str, str]:
        return {row["name"]: row["state"] for row in client.get_model_repository_index()}

    assert states() == {"digits": "READY", "colours": "READY", "spare": "READY"}
    client.unload_model("spare")
    assert states()["spare"] == "UNAVAILABLE"
    assert client.is_server_ready()
    with pytest.raises(InferenceServerException, match="unloaded"):
        client.infer("spare", [image()])
    client.load_model("spare")
    assert states()["spare"] == "READY"
    assert client.infer("spare", [image()]).as_numpy("probabilities").shape == (5, 3)


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        ("nothing", "image", "must be one of digits, colours, spare. Received: `nothing`"),
        ("colours", "other", "takes arrays named image. Received: other"),
    ],
)
def test_what_does_not_fit_is_refused(client: Any, model: str, given: str, words: str) -> None:
    tensor = http.InferInput(given, IMAGES.shape, "UINT8")
    tensor.set_data_from_numpy(IMAGES)
    with pytest.raises(InferenceServerException, match=words.replace(".", r"\.")):
        client.infer(model, [tensor])
