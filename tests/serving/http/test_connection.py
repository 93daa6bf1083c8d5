"""Clients that are slow, many, or send what is no request: each gets an error or a closed connection, in time."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.serving.running import Server, serving

TIMEOUT = 1.0
"""Of the client, in seconds; the sweep that looks for slow ones comes once a second."""

STEP = 0.1
"""Seconds that are waited at once: of a machine that stands still only the step it stands still in counts."""

MOST_STEPS = round(10 * TIMEOUT / STEP)
"""In which a client is answered or let go."""

ASKING = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def strict(tiny: Path) -> Iterator[Server]:
    """Return a server of short patience and few connections."""
    options = (
        "--client-timeout",
        TIMEOUT,
        "--max-connections",
        6,
        "--max-body",
        1,
        "--max-pixels",
        1,
        "--max-batch",
        4,
    )
    with serving(f"colours={tiny}", *map(str, options)) as running:
        yield running


def answered(connection: socket.socket) -> bytes:
    """Return the answer to `ASKING`: head and body may come one after the other."""
    answer = b""
    for part in parts_of(connection):
        answer += part
        if b'{"live": true}' in answer:
            return answer
    pytest.fail("the server hung up")


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def parts_of(connection: socket.socket) -> Iterator[bytes]:
    """Yield what comes until the server closes, within `MOST_STEPS`."""
    connection.settimeout(STEP)
    for _ in range(MOST_STEPS):
        try:
            part = connection.recv(65536)
        except TimeoutError:
            continue
        if not part:
            return
        yield part
    pytest.fail("the server kept the connection for too long")


def received(connection: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    return b"".join(parts_of(connection))


def status_and_error(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)["error"]


def test_a_client_that_says_nothing_is_let_go(strict: Server) -> None:
    with connect(strict) as silent:
        assert received(silent) == b""


def test_an_idle_connection_is_closed(strict: Server) -> None:
    with connect(strict) as idle:
        idle.sendall(ASKING)
        began = time.monotonic()
        assert received(idle).count(b"200 OK") == 1
    assert time.monotonic() - began > TIMEOUT


def test_a_server_that_was_stopped_does_not_take_its_clients_for_slow(strict: Server) -> None:
    """As by a machine that sleeps: of requests that came meanwhile it has read nothing yet."""
    with connect(strict) as kept, connect(strict) as half:
        kept.sendall(ASKING)
        assert b"200 OK" in answered(kept)
        half.sendall(ASKING[:-2])
        time.sleep(0.3)
        strict.process.send_signal(signal.SIGSTOP)
        time.sleep(3 * TIMEOUT)
        for connection, rest in ((kept, ASKING), (half, ASKING[-2:])):
            connection.sendall(rest)
        strict.process.send_signal(signal.SIGCONT)
        for connection in (kept, half):
            assert b"200 OK" in answered(connection)


@pytest.mark.parametrize(
    "begin",
    [b"GET /v2 HT", b"POST /v2/models/colours/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{"],
)
def test_a_client_that_is_slow_is_told_so(strict: Server, begin: bytes) -> None:
    with connect(strict) as slow:
        slow.sendall(begin)
        assert status_and_error(received(slow)) == (408, "A request must arrive within 1 seconds. Send it at once.")


def test_a_slow_head_is_not_kept_alive_by_single_letters(strict: Server) -> None:
    with connect(strict) as dripping:
        dripping.sendall(b"GET /v2 HTTP/1.1\r\n")
        dripping.settimeout(STEP)
        answer = b""
        for _ in range(2 * MOST_STEPS):
            dripping.sendall(b"X: y\r\n")
            with suppress(TimeoutError):
                answer = dripping.recv(65536)
                break
    assert status_and_error(answer)[0] == 408


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (b"what\r\n\r\n", 400, "A request of HTTP/1.1 is required"),
        (b"GET /v2 HTTP/1.1\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431, "at most 100 headers"),
        (b"GET /v2 HTTP/1.1\r\nX: " + b"y" * 40_000, 431, "head takes at most 32,768 bytes"),
        (b"GET /" + b"v" * 40_000, 431, "head takes at most 32,768 bytes"),
    ],
)
def test_what_is_no_request_is_refused(strict: Server, sent: bytes, status: int, words: str) -> None:
    with connect(strict) as wrong:
        wrong.sendall(sent)
        found, error = status_and_error(received(wrong))
    assert found == status
    assert words in error


def test_more_connections_than_allowed_are_refused(strict: Server) -> None:
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(connect(strict))
        time.sleep(0.2)
        answer = received(stack.enter_context(connect(strict)))
    assert b"retry-after: 1" in answer
    assert status_and_error(answer) == (503, "At most 6 connections are open. Try again in a moment.")
    for _ in range(MOST_STEPS):
        if (found := strict.ask("/v2/health/live").status) == 200:
            break
        time.sleep(STEP)
    assert found == 200


@pytest.mark.parametrize("path", ["/v2/models/colours/infer", "/v2/models/colours/predict"])
def test_large_bodies_are_refused_before_they_come(strict: Server, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
    for rest in ("Content-Length: 99999999\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n200000\r\n" + "x" * 0x200000):
        with connect(strict) as large:
            large.sendall(head.encode())
            try:
                large.sendall(rest.encode())
                answer = received(large)
            except ConnectionError:  # It is refused while it is still being sent.
                continue
            assert status_and_error(answer)[0] == 413
            assert b"connection: close" in answer.lower()


def test_a_packed_body_does_not_grow_beyond_the_limit(strict: Server) -> None:
    import gzip

    answer = strict.ask("/v2/models/colours/infer", gzip.compress(bytes(2**22)), content_encoding="gzip")
    assert (answer.status, answer.json["error"].split(".")[0]) == (413, "A body of at most 1,048,576 bytes is required")


def test_large_pictures_are_refused_unread(strict: Server) -> None:
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.new("1", (2000, 1000)).save(file, "PNG")
    answer = strict.ask("/predict", file.getvalue())
    assert answer.status == 400
    assert "at most 1,000,000 pixels are required. Received: 2000x1000" in answer.json["error"]


def test_connections_stay_open_between_requests(server: Server) -> None:
    with connect(server) as kept:
        for _ in range(3):
            kept.sendall(ASKING)
            assert answered(kept).startswith(b"HTTP/1.1 200 OK")
        kept.sendall(ASKING * 3 + b"GET / HTTP/1.0\r\n\r\n")
        assert received(kept).count(b'{"live": true}') == 3, "requests sent ahead are answered in turn"
