"""API keys: where they come from, and whether a request has one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from contextlib import suppress
from pathlib import Path

from edgeconv.artifact import read_regular
from edgeconv.errors import ConfigError

VARIABLE = "EDGECONV_API_KEYS"
"""Of the environment: keys between commas."""

FEWEST_LETTERS = 16
"""Of a key: shorter ones can be guessed."""

_MOST_BYTES = 2**20


def read_keys(file: str | None) -> tuple[str, ...]:
    """Return the keys of a file, one a line, and of the environment; empty lines and those behind a # are none.

    Raises:
        ConfigError: a key is too short, the file has none, or it is no text.
        OSError: the file cannot be read.
    """
    listed = os.environ.get(VARIABLE, "").split(",")
    if file is not None:
        try:
            listed += read_regular(Path(file), _MOST_BYTES).decode("utf-8").splitlines()
        except UnicodeDecodeError:
            raise ConfigError(f"`{file}` must hold keys as text, one a line. Received: other bytes.") from None
    keys = tuple(key for key in map(str.strip, listed) if key and not key.startswith("#"))
    if file is not None and not keys:
        raise ConfigError(f"`{file}` must hold keys, one a line. Received: none. Make one with `openssl rand -hex 32`.")
    if any(len(key) < FEWEST_LETTERS for key in keys):
        raise ConfigError(
            f"A key must have at least {FEWEST_LETTERS} letters. Received: a shorter one. Make one with "
            "`openssl rand -hex 32`."
        )
    return keys


class Keys:
    """The keys that a server lets in; without any it lets in everybody."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._digests = [_digest(key.encode()) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def admit(self, authorization: bytes, key: bytes) -> bool:
        """Tell whether a request has one of the keys, in a time that does not tell which, nor how much of it.

        Args:
            authorization: the header `Authorization`: ``Bearer KEY``, or, as a browser sends what it was told,
                ``Basic`` with the key as the password.
            key: the header `X-API-Key`.
        """
        given = _digest(key or _key_in(authorization))
        found = False
        for digest in self._digests:
            found |= hmac.compare_digest(digest, given)
        return found


def _key_in(authorization: bytes) -> bytes:
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() == b"bearer":
        return token.strip()
    if scheme.lower() == b"basic":
        with suppress(binascii.Error):
            return base64.b64decode(token, validate=True).partition(b":")[2]
    return b""


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
