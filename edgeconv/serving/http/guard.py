"""What every request passes: an id, its origin, its key, errors as JSON, headers, the access log."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Callable
from http import HTTPStatus

from edgeconv.serving.errors import RequestError
from edgeconv.serving.http.access_log import AccessLog
from edgeconv.serving.http.error_replies import reply_of
from edgeconv.serving.http.keys import Keys
from edgeconv.serving.http.messages import BY_NAME, App, ClientGoneError, Receive, Reply, Scope, Send
from edgeconv.serving.http.origins import Origins

OPEN = frozenset({"/v2/health/live", "/v2/health/ready"})
"""Addresses that need no key: probes have none, and what they tell is no secret."""

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]

POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""Of what is no page. A page says its own, as its last header."""

_ID = re.compile(rb"[\w.:/+=-]{1,64}")
_NONE = b""


class Guard:
    """An application around another.

    Args:
        app: that answers.
        keys: that are let in.
        origins: that are.
        log: of requests.
        say: writes to the server's own log.
    """

    def __init__(self, app: App, *, keys: Keys, origins: Origins, log: AccessLog, say: Callable[[str], object]) -> None:
        self._app = app
        self._keys, self._origins, self._log, self._say = keys, origins, log, say
        self._prefix = secrets.token_hex(4)
        self._count = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()
        asked = scope[BY_NAME] = dict(scope["headers"])
        identity = self.identity_of(asked)
        status = 0

        async def answer(message: dict[str, object]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]  # type: ignore[assignment]
                headers: list[tuple[bytes, bytes]] = message["headers"]  # type: ignore[assignment]
                if headers[-1][0] != POLICY[0]:
                    headers.append(POLICY)
                headers.extend(HEADERS)
                headers.append((b"x-request-id", identity))
            await send(message)

        scope["app"] = self  # Starlette raises 404 and 405 where an application is around it.
        path = scope["path"]
        try:
            self.check(path, asked)
            await self._app(scope, receive, answer)
        except ClientGoneError:
            status = 499
        except Exception as error:
            if status:  # A part of another answer is out: only the end of the connection tells.
                raise
            reply = self.reply_of(error, identity)
            if reply.status == 413:
                reply.headers.append((b"connection", b"close"))
            await reply.send(answer)
        finally:
            self.note(identity, scope.get("client"), scope["method"], path, status, begin)

    def identity_of(self, asked: dict[bytes, bytes]) -> bytes:
        """Return the id of a request: the one that it has, or a new one."""
        given = asked.get(b"x-request-id", _NONE)
        return given if given and _ID.fullmatch(given) else f"{self._prefix}-{next(self._count):x}".encode()

    def reply_of(self, error: Exception, identity: bytes) -> Reply:
        """Return the answer to a request that raised an error."""
        return reply_of(error, identity.decode(), self._say)

    def note(
        self, identity: bytes, client: tuple[str, int] | None, method: str, path: str, status: int, begin: float
    ) -> None:
        """Write a request to the access log."""
        self._log.note(
            identity=identity.decode(),
            client=client[0] if client else "",
            method=method,
            path=path,
            status=status,
            seconds=time.perf_counter() - begin,
        )

    def check(self, path: str, asked: dict[bytes, bytes]) -> None:
        """Check the name of the server, the origin and the key of a request.

        Raises:
            RequestError: it must not be answered.
        """
        self._origins.check(asked.get(b"host", _NONE), asked.get(b"origin", _NONE))
        if not self._keys or path in OPEN:
            return
        if not self._keys.admit(asked.get(b"authorization", _NONE), asked.get(b"x-api-key", _NONE)):
            raise RequestError(
                HTTPStatus.UNAUTHORIZED,
                "A key is required. Received: none, or another. Send `Authorization: Bearer KEY` or `X-API-Key: KEY`.",
            )
