"""Most requests for inference, answered without a task of their own and without the messages of ASGI.

Tasks, messages and routes take longer than a small model does. Whatever is not plain goes the way of all requests:
other addresses, large, packed or chunked bodies, keys that are refused, models that are not ready, requests sent ahead.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from edgeconv.serving.answering import Answering
from edgeconv.serving.config import Limits
from edgeconv.serving.errors import RequestError
from edgeconv.serving.http.guard import HEADERS, POLICY, Guard
from edgeconv.serving.http.inference_routes import LARGE, reply_to, request_in
from edgeconv.serving.http.messages import Reply
from edgeconv.serving.models.served_model import VERSION
from edgeconv.serving.protocol.response import InferenceAnswer

NOT_PLAIN = frozenset({b"transfer-encoding", b"content-encoding", b"expect", b"upgrade"})
"""Headers of requests that uvicorn and Starlette answer."""

_HEADERS = b"".join(b"%b: %b\r\n" % pair for pair in (POLICY, *HEADERS))


class Direct:
    """Takes requests for inference over from uvicorn.

    Args:
        answering: of the server.
        guard: that every request passes.
        limits: what one client may ask for.
    """

    def __init__(self, answering: Answering, guard: Guard, limits: Limits) -> None:
        self.answering, self.guard = answering, guard
        self.unheard = asyncio.Event()  # Of messages that nobody waits for: uvicorn's connection sets one.
        self._most = min(limits.max_body, LARGE - 1)
        self._models = {f"/v2/models/{name}/infer".encode(): name for name in answering.repository.entries}

    def begin(self, connection: HttpToolsProtocol) -> Exchange | None:
        """Return an exchange for a request whose head is there, or None where it is not plain."""
        name = self._models.get(connection.url)
        parser = connection.parser
        if name is None or parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return None
        asked = dict(connection.headers)
        length = asked.get(b"content-length")
        if length is None or int(length) > self._most or not NOT_PLAIN.isdisjoint(asked):
            return None
        try:
            self.guard.check(connection.url.decode(), asked)
            self.answering.repository.ready(name)
        except RequestError:
            return None
        return Exchange(self, connection, name, asked)


class Exchange(RequestResponseCycle):
    """A request and its answer, in the place of uvicorn's own: the connection looks at its fields alone.

    Args:
        direct: that took it over.
        connection: of the client.
        name: of the model.
        asked: headers.
    """

    def __init__(  # It has no scope, and nobody waits for its messages.
        self, direct: Direct, connection: HttpToolsProtocol, name: str, asked: dict[bytes, bytes]
    ) -> None:
        self._begin = time.perf_counter()
        self._direct, self._connection, self._name, self._asked = direct, connection, name, asked
        self._identity, self._path = direct.guard.identity_of(asked), connection.url.decode()
        self.keep_alive = connection.parser.should_keep_alive()
        self.body = bytearray()
        self.more_body = True
        self.disconnected = self.response_started = self.response_complete = False
        self.message_event = direct.unheard

    def answer(self) -> None:
        """Answer, now that the body is there."""
        self.more_body = False
        answering = self._direct.answering
        try:
            self._model, batcher = answering.repository.ready(self._name)
            self._request = request_in(bytes(self.body), self._asked)
            outputs = answering.outputs(self._model, batcher, self._request)
        except Exception as error:
            self._send(self._direct.guard.reply_of(error, self._identity))
        else:
            outputs.add_done_callback(self._answered)

    def give_up(self) -> None:
        """Note that the client hung up."""
        self._note(499)

    def _answered(self, outputs: asyncio.Future[dict[str, Any]]) -> None:
        try:
            answer = InferenceAnswer(self._name, VERSION, outputs.result(), self._model.labels)
            reply = reply_to(self._request, answer)
        except Exception as error:
            reply = self._direct.guard.reply_of(error, self._identity)
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        """Write an answer at once, head and body."""
        connection = self._connection
        self.response_started = self.response_complete = True
        self._note(reply.status)
        if connection.transport.is_closing():
            return
        head = [
            STATUS_LINE[reply.status],
            b"content-type: %b\r\ncontent-length: %d\r\n" % (reply.content_type, len(reply.body)),
            *(b"%b: %b\r\n" % pair for pair in (*connection.server_state.default_headers, *reply.headers)),
            _HEADERS,
            b"x-request-id: %b\r\n" % self._identity,
            b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n",
            reply.body,
        ]
        connection.transport.write(b"".join(head))
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()

    def _note(self, status: int) -> None:
        self._direct.guard.note(self._identity, self._connection.client, "POST", self._path, status, self._begin)
