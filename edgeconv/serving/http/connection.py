"""Connections of uvicorn with limits that it has not: of their number, of a request's head, of time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from edgeconv.serving.config import Limits
from edgeconv.serving.http.direct import Direct, Exchange

MOST_HEAD_BYTES = 32 * 2**10
MOST_HEADERS = 100
"""Of a request before its body, as other servers have them (nginx: 4 x 8 KB; Apache: 100 headers)."""

FEWEST_BYTES_PER_SECOND = 10_000
"""Of a body: a slower client is taken for one that means to keep the connection busy."""

SWEEP_SECONDS = 1.0

LIMITS, DIRECT = "limits", "direct"
"""Where the application leaves them, in the state that uvicorn gives to each connection."""


class Connection(HttpToolsProtocol):
    """A client's connection.

    Its clock starts with the connection and with each new request, and ends with the last byte of the answer that the
    client takes; a sweep over all connections, once a second, ends those whose clock ran out.
    """

    swept = False

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits: Limits = app_state[LIMITS]
        self._direct: Direct = app_state[DIRECT]
        self._in_head = True
        self._head_bytes = 0
        self._received = 0
        self._since = self.loop.time()
        self._unread: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many already."""
        super().connection_made(transport)
        if not self.swept:
            type(self).swept = True
            _sweep(self.loop, self.connections, self.loop.time())  # type: ignore[arg-type]
        if len(self.connections) > self.limits.max_connections:
            self._end(503, f"At most {self.limits.max_connections} connections are open. Try again in a moment.")

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        if self.transport.is_closing():
            return
        if self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body):
            if not self._received:
                self._since = self.loop.time()
            self._head_bytes += len(data)
        self._received += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MOST_HEAD_BYTES:
            self._end(431, f"A request's head takes at most {MOST_HEAD_BYTES:,} bytes. Send fewer headers.")

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin its body, or its answer."""
        self._in_head = False
        self._head_bytes = 0
        if len(self.headers) > MOST_HEADERS:
            self._end(431, f"A request takes at most {MOST_HEADERS} headers. Send fewer.")
            return
        exchange = None
        if (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused:
            exchange = self._direct.begin(self)
        if exchange is None:
            super().on_headers_complete()
        else:
            self.cycle = exchange

    def on_body(self, body: bytes) -> None:
        """Take a part of its body."""
        if isinstance(self.cycle, Exchange):
            self.cycle.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._received = 0
        if self.transport.is_closing():
            return
        if isinstance(self.cycle, Exchange):
            self.cycle.answer()
        else:
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if isinstance(self.cycle, Exchange) and self.cycle.more_body:
            self.cycle.give_up()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request of HTTP."""
        self._end(400, f"A request of HTTP/1.1 is required. {msg}")

    def look(self, now: float, paused: float) -> None:
        """End the connection where its client takes too long; seconds that this process was stopped are not its."""
        self._since += paused
        limit = self.limits.client_timeout
        unread = self.transport.get_write_buffer_size()
        if unread:
            if unread != self._unread:
                self._unread, self._since = unread, now
            elif now - self._since > limit:
                self.transport.abort()
            return
        self._unread = None
        if self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body:
            self._since = now  # It waits for us.
        elif now - self._since > limit + self._received / FEWEST_BYTES_PER_SECOND:
            if not self._received:
                self.transport.close()
            elif self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
                self.transport.abort()
            else:
                self._end(408, f"A request must arrive within {limit:g} seconds. Send it at once.")

    def _end(self, status: int, words: str) -> None:
        """Answer whatever was asked with an error, and close."""
        if self.transport.is_closing():
            return
        body = json.dumps({"error": words}).encode()
        head = [STATUS_LINE[status], b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)]
        if status == 503:
            head.append(b"retry-after: 1\r\n")
        self.transport.write(b"".join([*head, b"connection: close\r\n\r\n", body]))
        self.transport.close()


def _sweep(loop: asyncio.AbstractEventLoop, connections: set[Connection], due: float) -> None:
    """Look at all connections, again and again."""
    now = loop.time()
    late = now - due
    for connection in list(connections):
        connection.look(now, late if late > SWEEP_SECONDS else 0.0)
    due = now + SWEEP_SECONDS
    loop.call_at(due, _sweep, loop, connections, due)
