"""Many clients at once: each gets the answer to its own picture."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from edgeconv.runtime.runner import Runner
from tests.serving.running import Server

THREADS = 32
EACH = 20

IMAGES = np.random.default_rng(1).integers(0, 256, (THREADS * EACH, 12, 12, 3), np.uint8)


def test_thirty_two_clients_get_their_own_answers(server: Server, tiny: Path) -> None:
    """The arrays of one thread are different from all others', and bad requests come between them."""
    expected = Runner(tiny).run({"image": IMAGES})["probabilities"]
    assert len(np.unique(expected.round(5), axis=0)) > 0.9 * len(expected), "answers that are alike show nothing"

    def ask(thread: int) -> list[int]:
        connection = http.client.HTTPConnection(server.address, timeout=60)
        wrong = []
        for place in range(thread * EACH, (thread + 1) * EACH):
            head = {"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 12, 12, 3]}]}
            head["inputs"][0]["parameters"] = {"binary_data_size": 432}
            text = json.dumps(head).encode()
            sent = text + (IMAGES[place].tobytes() if place % 7 else b"short")
            headers = {"Inference-Header-Content-Length": str(len(text))}
            connection.request("POST", "/v2/models/colours/infer", sent, headers)
            response = connection.getresponse()
            body = json.loads(response.read())
            if place % 7 == 0:
                wrong += [place] * (response.status != 400)
            elif not np.allclose(body["outputs"][0]["data"], expected[place], atol=1e-5):
                wrong.append(place)
        connection.close()
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        assert [place for wrong in pool.map(ask, range(THREADS)) for place in wrong] == []


def test_pictures_in_files_are_not_mixed_up(server: Server, tiny: Path) -> None:
    expected = Runner(tiny).run({"image": IMAGES[:64]})["probabilities"]

    def ask(place: int) -> bool:
        file = BytesIO()
        Image.fromarray(IMAGES[place]).save(file, "PNG")
        answer = server.ask("/v2/models/colours/predict?top_k=3", file.getvalue(), content_type="image/png").json
        found = {row["label"]: row["probability"] for row in answer["top"]}
        return np.allclose([found[label] for label in ("red", "green", "blue")], expected[place], atol=1e-5)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(64)))
