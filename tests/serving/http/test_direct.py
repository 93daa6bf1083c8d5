"""Requests for inference that are answered without a task: as all others are, only faster."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.serving.http.test_connection import connect, received
from tests.serving.running import Server
from tests.serving.test_lifecycle import body

ADDRESS = "/v2/models/colours/infer"
ASGI = "/v2/models/colours/versions/1/infer"
"""The same by its version, which is no plain address and goes the other way."""

IMAGE = np.random.default_rng(0).integers(0, 256, (1, 12, 12, 3), np.uint8)


def binary(size: int = 432) -> tuple[bytes, dict[str, str]]:
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 12, 12, 3], "parameters": {"binary_data_size": size}}
    wanted = {"name": "probabilities", "parameters": {"binary_data": True}}
    head = json.dumps({"id": "mine", "inputs": [tensor], "outputs": [wanted]}).encode()
    return head + IMAGE.tobytes(), {"Inference_Header_Content_Length": str(len(head))}


def of_picture() -> bytes:
    return json.dumps({"inputs": [{"name": "picture", "datatype": "BYTES", "shape": [1], "data": ["bm8="]}]}).encode()


@pytest.mark.parametrize(
    ("sent", "headers", "status"),
    [
        (body(), {}, 200),
        (*binary(), 200),
        (*binary(431), 400),
        (body(), {"Inference_Header_Content_Length": "x"}, 400),
        (b"{", {}, 400),
        (b"", {}, 400),
        (body().replace(b"image", b"other"), {}, 400),
        (body()[:-1] + b', "outputs": [{"name": "none"}]}', {}, 400),
        (of_picture(), {}, 400),
        (body(), {"Host": "evil.example"}, 403),
        (body(), {"Origin": "https://evil.example"}, 403),
    ],
)
def test_the_answer_is_the_same(server: Server, sent: bytes, headers: dict[str, str], status: int) -> None:
    direct, other = (server.ask(path, sent, X_Request_Id="mine-2", **headers) for path in (ADDRESS, ASGI))
    assert (direct.status, direct.body) == (status, other.body)
    for answer in (direct, other):
        assert answer.headers.pop("date")
    assert direct.headers == other.headers
    assert direct.headers["x-request-id"] == "mine-2"


def test_requests_have_ids_and_lines_in_the_log(server: Server) -> None:
    ids = {server.ask(ADDRESS, body()).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    deadline = time.monotonic() + 10
    while len(found := [line for line in server.logged if any(one in line for one in ids)]) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    row = json.loads(found[0])
    assert (row["method"], row["path"], row["status"], row["client"]) == ("POST", ADDRESS, 200, "127.0.0.1")
    assert row["ms"] > 0


def test_a_client_that_hangs_up_is_noted(server: Server) -> None:
    with connect(server) as gone:
        gone.sendall(
            f"POST {ADDRESS} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: gone-1\r\nContent-Length: 9".encode()
        )
        gone.sendall(b"\r\n\r\n{")
        time.sleep(0.2)
    deadline = time.monotonic() + 10
    while not (found := [line for line in server.logged if "gone-1" in line]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert json.loads(found[0])["status"] == 499


def test_requests_sent_ahead_are_answered_in_turn(server: Server) -> None:
    """Plain ones and others behind them, whole and in pieces, on one connection, which the last one ends."""
    sent = b""
    for place, path in enumerate([ADDRESS, ADDRESS, "/v2/health/live", ADDRESS, ASGI, ADDRESS]):
        text = body() if path.endswith("infer") else b""
        more = "Connection: close\r\n" if place == 5 else ""
        method = "POST" if text else "GET"
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ahead-{place}\r\n{more}"
        sent += f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text
    for size in (len(sent), 700):
        with connect(server) as ahead:
            for start in range(0, len(sent), size):
                ahead.sendall(sent[start : start + size])
            answers = received(ahead)
        ids = [part.partition(b"\r\n")[0] for part in answers.split(b"x-request-id: ")[1:]]
        assert ids == [b"ahead-%d" % place for place in range(6)]
        assert answers.count(b"HTTP/1.1 200 OK") == 6


def test_a_large_request_holds_up_nobody(server: Server) -> None:
    """Others are answered while its JSON is read: none of them waits as long as it does."""
    size = 2_000_000
    tensor = {"name": "image", "datatype": "FP64", "shape": [size], "data": [0] * size}
    text = json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        large = pool.submit(lambda: (server.ask(ADDRESS, text), time.monotonic() - began))
        waits = []
        while not large.done():
            asked = time.monotonic()
            assert server.ask("/v2/health/live").status == 200
            waits.append(time.monotonic() - asked)
    answer, spent = large.result()
    assert (answer.status, "float64 (2000000,)" in answer.json["error"]) == (400, True)
    assert max(waits) < 0.5 * spent
