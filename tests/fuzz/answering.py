"""A server without a socket: bytes of a client go to its connection, and what it writes is looked at."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import uvicorn
from uvicorn.server import ServerState

from edgeconv.serving.app import Application
from edgeconv.serving.config import ServeConfig
from edgeconv.serving.http import guard
from edgeconv.serving.http.connection import DIRECT, LIMITS, Connection
from edgeconv.serving.http.direct import Exchange
from edgeconv.serving.http.error_replies import reply_of
from edgeconv.serving.http.messages import Receive, Reply, Scope, Send
from tests.fuzz.asking import RefusedError
from tests.fuzz.target import ROOT

PLACES = (str(ROOT), str(Path(json.__file__).parents[1]), tempfile.gettempdir() + "/", ".onnx")
"""What only the path of a file of the server has in it."""


class WrongAnswerError(Exception):
    """An answer that no request may get."""


class _Connection(Connection):
    """A connection whose client is never slow, and so needs no sweep."""

    swept = True


class _Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 4), "sockname": ("127.0.0.1", 8000)})
        self.written = b""
        self._closing = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self._closing = True

    abort = close

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def _waits(connection: Connection) -> bool:
    """Tell whether the last request is not answered yet, with a task of its own or without."""
    cycle = connection.cycle
    return cycle is not None and not (cycle.response_complete or cycle.disconnected)


class Server:
    """A server of one model, `tiny`, that is asked by the bytes of a file."""

    def __init__(self, model: Path) -> None:
        config = ServeConfig((f"tiny={model}",), access_log=False)
        self._application = Application(config)
        self._config = uvicorn.Config(
            self._answer, http=_Connection, ws="none", interface="asgi3", log_config=None, log_level="critical"
        )
        self._config.load()
        self._state = {LIMITS: config.limits, DIRECT: self._application.direct}
        self._loop = asyncio.new_event_loop()
        self._answers: list[tuple[int, bytes]] = []
        self._errors: list[Exception] = []

    def look(self, path: Path) -> None:
        """Send what a file holds, and hang up.

        Raises:
            RefusedError: what the server says is wrong with it.
            WrongAnswerError: another answer than one, or a refusal in JSON.
            Exception: one that is the server's own fault.
        """
        self._answers, self._errors = [], []
        send = Exchange._send

        def note(exchange: Exchange, reply: Reply) -> None:
            self._answers.append((reply.status, reply.body))
            send(exchange, reply)

        with mock.patch.object(guard, "reply_of", self._note), mock.patch.object(Exchange, "_send", note):
            written = self._loop.run_until_complete(self._ask(path.read_bytes()))
        if written and not self._answers:  # The connection itself refuses what is no request.
            self._answers.append((int(written.split()[1]), written.partition(b"\r\n\r\n")[2]))
        for status, body in self._answers:
            self._judge(status, body)

    def close(self) -> None:
        self._loop.close()

    async def _ask(self, content: bytes) -> bytes:
        repository = self._application.repository
        if repository.entries["tiny"].state != "READY":  # An earlier request unloaded it.
            await repository.load("tiny")
        transport, state = _Transport(), ServerState()
        connection = _Connection(self._config, state, self._state, self._loop)
        connection.connection_made(transport)
        connection.data_received(content)
        while state.tasks or _waits(connection):
            if connection.cycle is not None and connection.cycle.more_body:
                await asyncio.sleep(0)
                connection.connection_lost(None)
            if state.tasks:
                await asyncio.wait(state.tasks)
            await asyncio.sleep(0)
        connection.connection_lost(None)
        return transport.written

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._answers.append((message["status"], b""))
            else:
                status, body = self._answers[-1]
                self._answers[-1] = status, body + message["body"]
            await send(message)

        try:
            await self._application.asgi(scope, receive, note)
        except Exception as error:
            self._errors.append(error)

    def _note(self, error: Exception, identity: str, _: object) -> Reply:
        self._errors.append(error)
        return reply_of(error, identity, lambda _: None)

    def _judge(self, status: int, body: bytes) -> None:
        if status >= 500:
            raise self._errors[-1] if self._errors else WrongAnswerError(f"{status}: {body[:200]!r}")
        if status < 400:
            return
        try:
            told = json.loads(body)["error"]
        except (ValueError, KeyError, TypeError):
            raise WrongAnswerError(f"{status} without an error in JSON: {body[:200]!r}") from None
        if any(place in told for place in PLACES):
            raise WrongAnswerError(f"{status} with a path: {told[:200]}")
        raise RefusedError(told)
