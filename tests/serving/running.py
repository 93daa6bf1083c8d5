"""A server in a process of its own, as `edgeconv serve` starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

STARTS_WITHIN = 60.0
"""Seconds; a busy machine takes some."""


_MAIN = "from edgeconv.cli.main import main; main()"


@dataclass
class Server:
    """A server that runs.

    Attributes:
        process: the server itself.
        port: that it listens at.
        said: the lines that it wrote on stderr.
        logged: those on stdout, its access log.
    """

    process: subprocess.Popen[str]
    port: int = 0
    scheme: str = "http"
    said: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Host and port, as client libraries take them."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Of the server."""
        return f"{self.scheme}://{self.address}"

    def ask(self, path: str, body: bytes | None = None, method: str | None = None, **headers: str) -> Answer:
        """Send a request; a header's name has underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = urllib.request.Request(self.url + path, body, named, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=30) as response:
                return Answer(response.status, response.read(), dict(response.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), dict(error.headers))

    def wait_for(self, words: str) -> str:
        """Return the first line on stderr that has these words."""
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end:
            for line in list(self.said):
                if words in line:
                    return line
            assert self.process.poll() is None or self.said, "the server ended in silence"
            time.sleep(0.02)
        raise AssertionError(f"{words!r} was never said: {self.said}")


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@contextmanager
def serving(*arguments: str | Path, ready: bool = True, env: dict[str, str] | None = None) -> Iterator[Server]:
    """Start a server at a free port, and end it.

    Args:
        arguments: of `edgeconv serve`.
        ready: whether to wait until every model is loaded.
        env: that the process gets besides.
    """
    command = [sys.executable, "-P", "-c", _MAIN, "serve", "--port", "0", *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    server = Server(process)
    for stream, lines in ((process.stderr, server.said), (process.stdout, server.logged)):
        threading.Thread(target=_collect, args=(stream, lines), daemon=True).start()
    try:
        found = re.search(r"(https?)://[^/ ]+:(\d+)", server.wait_for("Listening at"))
        assert found is not None
        server.scheme, server.port = found[1], int(found[2])
        if ready:
            server.wait_for("Ready: ")
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def _collect(stream: TextIO, lines: list[str]) -> None:
    with stream:
        lines.extend(iter(stream.readline, ""))
