"""The error that only a server has."""

from __future__ import annotations

from http import HTTPStatus

from edgeconv.errors import EdgeconvError

RETRY_AFTER_S = 1
"""When a request may come again that there was no time or no model for."""


class RequestError(EdgeconvError):
    """A request that the server does not answer; the client is told why.

    Args:
        status: of HTTP.
        message: what is required, what was received, what to do.
    """

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
