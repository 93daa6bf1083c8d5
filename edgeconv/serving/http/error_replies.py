"""Errors as JSON: a client reads what was wrong with its request, and nothing of the server's files."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException

from edgeconv.errors import EdgeconvError, ImageError, InferenceTimeoutError, InputError, one_line
from edgeconv.serving.errors import RETRY_AFTER_S, RequestError
from edgeconv.serving.http.messages import Reply

_HIDDEN = "The model must answer. Received: an error of its own, which the server's log tells. Try another input."


def reply_of(error: Exception, identity: str, say: Callable[[str], object]) -> Reply:
    """Return the answer to a request that raised an error.

    Args:
        error: that was raised.
        identity: of the request, by which the log names it.
        say: writes to the log.
    """
    if isinstance(error, RequestError):
        reply = error_reply(str(error), error.status)
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            reply.headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
        if error.status == HTTPStatus.UNAUTHORIZED:
            reply.headers.append((b"www-authenticate", b'Bearer, Basic realm="edgeconv"'))
        return reply
    if isinstance(error, HTTPException):
        words = {404: "An address of this server is required. See `/openapi.json`.", 405: "Another method is required."}
        reply = error_reply(words.get(error.status_code, one_line(error.detail)), error.status_code)
        reply.headers.extend((name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items())
        return reply
    if isinstance(error, ImageError):
        return error_reply(_UNSEEN.sub("the picture", str(error)), 400)
    if isinstance(error, InputError):
        return error_reply(str(error), 400)
    if isinstance(error, EdgeconvError):
        say(f"Request {identity}: {error}")
        return error_reply(_HIDDEN, 504 if isinstance(error, InferenceTimeoutError) else 500)
    say(f"Request {identity}: {''.join(traceback.format_exception(error))}")
    return error_reply("The server must answer. Received: an error of its own, which its log tells.", 500)


_UNSEEN = re.compile(r"<[^<>]*>")
"""What stands for a file that has no name, as ``<bytes>``, in the words of errors of pictures."""


MOST_LETTERS = 1000
"""Of an error: some repeat what was received."""


def error_reply(words: str, status: int) -> Reply:
    """Return an answer that tells what was wrong."""
    return Reply.of_json({"error": words[:MOST_LETTERS]}, status)
