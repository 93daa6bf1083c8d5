"""Pages of other sites: a browser sends what they say, also to servers that only this machine reaches."""

from __future__ import annotations

from http import HTTPStatus

from edgeconv.serving.config import LOOPBACK, ServeConfig
from edgeconv.serving.errors import RequestError


class Origins:
    """Which names a server answers to, and to which pages.

    A page of another site may have a browser post to 127.0.0.1, and, once the name of its own site leads there, read
    the answers as well (DNS rebinding). So a request from a page must come from the server's own, and a server of this
    machine alone answers to no other names than its own.
    """

    def __init__(self, config: ServeConfig) -> None:
        names = {config.host, *config.allowed_hosts, *(LOOPBACK if config.is_local else ())}
        self._names = {name.lower() for name in names} if config.is_local or config.allowed_hosts else None

    def check(self, host: bytes, origin: bytes) -> None:
        """Check the headers `Host` and `Origin` of a request.

        Raises:
            RequestError: it is for another name, or comes from a page of another site.
        """
        if self._names is not None and _name(host.decode("latin-1")) not in self._names:
            raise RequestError(
                HTTPStatus.FORBIDDEN,
                "`Host` must be a name of this server. Received: another. Start it with `--allowed-host`.",
            )
        if origin and origin.partition(b"://")[2] != host:
            raise RequestError(
                HTTPStatus.FORBIDDEN,
                "A page of this server is required. Received: a request from a page of another site.",
            )


def _name(host: str) -> str:
    """Return a host without its port.

    Example:
        >>> _name("[::1]:8000"), _name("Localhost:80"), _name("a.b")
        ('::1', 'localhost', 'a.b')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
