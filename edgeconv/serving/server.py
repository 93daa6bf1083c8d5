"""`serve`: models on a port, until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from edgeconv.errors import ConfigError, one_line
from edgeconv.serving.app import Application, paths_of
from edgeconv.serving.config import ServeConfig
from edgeconv.serving.http.access_log import say
from edgeconv.serving.http.connection import Connection
from edgeconv.serving.workers import supervise

BACKLOG = 2048
"""Connections that wait for the server to take them."""

NEVER = 10**9
"""Seconds until uvicorn ends an idle connection: `Connection` does, and knows when the process itself was stopped."""

QUIET = {**LOGGING_CONFIG, "loggers": {"uvicorn.error": {"level": "CRITICAL"}, "uvicorn.access": {"level": "CRITICAL"}}}
"""uvicorn tells nothing: what there is to tell is told here."""


def serve(config: ServeConfig) -> None:
    """Serve models until SIGTERM or SIGINT; accepted requests are then finished.

    SIGHUP reloads all models; the old ones answer meanwhile.

    Args:
        config: what to serve, and how.

    Raises:
        ArtifactError: a path is no model.
        ConfigError: the address is not available, a certificate cannot be read, or two models have the same name.

    Example:
        >>> edgeconv.serve(ServeConfig(("exported/mnist",), port=8080))  # doctest: +SKIP
    """
    sock = _listen(config)
    names = ", ".join(paths_of(config.models))
    say(f"Listening at {_address(config, sock)}, {_reach(config)}. Loading {names}.")
    if config.workers > 1:
        supervise(config, sock, _serve)
    else:
        _serve(config, sock, load_first=False)


def _serve(config: ServeConfig, sock: socket.socket, load_first: bool) -> None:
    """Serve at a socket in this process."""
    address = _address(config, sock)
    app = Application(config, on_ready=lambda: say(f"Ready: {address}/"), load_first=load_first)
    _Server(_uvicorn_config(config, app), app).run(sockets=[sock])


def _address(config: ServeConfig, sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    scheme = "http" if config.certificate is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _reach(config: ServeConfig) -> str:
    """Say who can reach the server, and what keeps others out."""
    if config.is_local:
        return "for this machine alone"
    keys = "with a key" if config.api_keys else "by anybody: no --api-keys are given"
    return f"for other machines too, {keys}{'' if config.certificate else ', unencrypted: no --certificate is given'}"


def _listen(config: ServeConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((config.host, config.port))
        sock.listen(BACKLOG)  # Who comes while models load waits, and is not refused.
    except OSError as error:
        sock.close()
        raise ConfigError(
            f"`{config.host}` must be an address of this machine with port {config.port} free. Received: "
            f"{one_line(error.strerror or error)}. Name another with `--host` or `--port`; port 0 takes a free one."
        ) from error
    return sock


def _uvicorn_config(config: ServeConfig, app: Application) -> uvicorn.Config:
    limits = config.limits
    try:
        made = uvicorn.Config(
            app.asgi,
            http=Connection,
            ws="none",
            lifespan="on",
            log_config=QUIET,
            access_log=False,
            server_header=False,
            timeout_keep_alive=NEVER,
            timeout_graceful_shutdown=limits.grace,
            ssl_certfile=config.certificate,
            ssl_keyfile=config.certificate_key,
        )
        made.load()
    except OSError as error:  # ssl.SSLError is one.
        raise ConfigError(
            f"`{config.certificate}` must be a certificate in PEM form with its key. Received: {one_line(error)}. "
            "Name the key's file with `--certificate-key`."
        ) from error
    return made


class _Server(uvicorn.Server):
    """A server that ends with its signals, instead of by them, and loads models anew with SIGHUP."""

    def __init__(self, config: uvicorn.Config, app: Application) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if hasattr(signal, "SIGHUP"):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # In another thread there is none.
                asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._app.reload)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()
