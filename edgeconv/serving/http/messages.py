"""Requests and answers of HTTP, no heavier than ASGI has them: a small model answers in 30 microseconds."""

from __future__ import annotations

import json
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from edgeconv.serving.errors import RequestError

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON = "application/json"

BY_NAME = "edgeconv.headers"
"""Where the guard leaves the headers of a request by their names."""


class ClientGoneError(Exception):
    """The client hung up before its request was there."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, with its body not read yet."""

    scope: Scope
    receive: Receive

    @property
    def path_params(self) -> Mapping[str, str]:
        """What stands in the places of the address, by their names."""
        params: Mapping[str, str] = self.scope["path_params"]
        return params

    def header(self, name: bytes) -> str | None:
        """Return a header by its name in lower case, or None."""
        value: bytes | None = self.scope[BY_NAME].get(name)
        return None if value is None else value.decode("latin-1")

    async def body(self, most: int) -> bytes:
        """Return the body, unpacked where it was packed with gzip or deflate.

        Args:
            most: bytes that it may have, packed and unpacked.

        Raises:
            RequestError: it has more.
            RequestError: it is packed in another way.
            ClientGoneError: the client hung up.
        """
        length = self.header(b"content-length")
        if length is not None and int(length) > most:
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE.format(most=most))
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE.format(most=most))
            parts.append(part)
            more = message.get("more_body", False)
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        encoding = self.header(b"content-encoding")
        return body if encoding in {None, "", "identity"} else _unpacked(body, str(encoding), most)


_TOO_LARGE = "A body of at most {most:,} bytes is required. Received: more. Send less at once."


def _unpacked(body: bytes, encoding: str, most: int) -> bytes:
    if encoding not in {"gzip", "deflate"}:
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"`Content-Encoding` must be gzip or deflate. Received: {encoding[:40]}. Send the body as it is.",
        )
    unpacking = zlib.decompressobj(zlib.MAX_WBITS + 32)  # Tells gzip and zlib apart by itself.
    try:
        unpacked = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"The body must be packed with {encoding}. Received: other bytes. Pack it again."
        ) from None
    if len(unpacked) > most:
        raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE.format(most=most))
    if not unpacking.eof:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"The body must be packed with {encoding}. Received: a part of it. Send it whole."
        )
    return unpacked


@dataclass(slots=True)
class Reply:
    """An answer: its body, its kind, and headers besides."""

    body: bytes
    status: int = 200
    content_type: bytes = b"application/json"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Reply:
        """Return an answer of JSON."""
        return cls(json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="replace"), status)

    async def send(self, send: Send) -> None:
        """Send the answer."""
        headers = [(b"content-type", self.content_type), (b"content-length", b"%d" % len(self.body)), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Endpoint:
    """An application that answers with what a function makes of the request."""

    def __init__(self, handle: Callable[[Request], Awaitable[Reply]]) -> None:
        self._handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        reply = await self._handle(Request(scope, receive))
        await reply.send(send)
