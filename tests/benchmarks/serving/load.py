"""A client of many connections in a process of its own, which asks as fast as it is answered and measures each answer.

    python -m tests.benchmarks.serving.load PORT REQUEST SECONDS CONNECTIONS

REQUEST is a file of the bytes of one request of HTTP. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop

CONTENT_LENGTH = b"content-length: "


class Asking(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, request: bytes, end: float, latencies: list[float], done: asyncio.Future[None]) -> None:
        self.request, self.end, self.latencies, self.done = request, end, latencies, done
        self.received = b""
        self.asked = 0.0
        self.answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.asked = time.perf_counter()
        self.transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, gap, body = self.received.partition(b"\r\n\r\n")
        if not gap:
            return
        length = int(head.lower().partition(CONTENT_LENGTH)[2].split(b"\r", 1)[0])
        if len(body) < length:
            return
        now = time.perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(self.received.decode(errors="replace")))
            return
        self.latencies.append(now - self.asked)
        self.answer, self.received = body, b""
        if now < self.end:
            self.ask()
        elif not self.done.done():
            self.transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))


async def load(port: int, request: bytes, seconds: float, connections: int) -> dict[str, object]:
    """Ask for some seconds; return requests a second, and the median and the 99th percentile of their times."""
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    begin = time.perf_counter()
    asking = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        _, protocol = await loop.create_connection(
            lambda done=done: Asking(request, begin + seconds, latencies, done), "127.0.0.1", port
        )
        asking.append(protocol)
    await asyncio.gather(*(one.done for one in asking))
    spent = time.perf_counter() - begin
    ordered = sorted(latencies)
    return {
        "requests_per_second": len(ordered) / spent,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
        "answer": asking[0].answer.decode("latin-1"),
    }


if __name__ == "__main__":
    port, request, seconds, connections = sys.argv[1:]
    found = load(int(port), Path(request).read_bytes(), float(seconds), int(connections))
    print(json.dumps(uvloop.run(found)))
