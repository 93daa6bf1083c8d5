"""What a server is told: models, addresses, limits and keys."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeconv.config import between
from edgeconv.errors import ConfigError
from edgeconv.runtime.providers import check_device
from edgeconv.session_options import check_threads, check_timeout

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that no other one reaches."""


@dataclass(frozen=True)
class Limits:
    """What one client may ask for.

    Attributes:
        max_batch: largest number of rows in a call of the model, and in a request.
        max_queue: requests that may wait for a model; more are refused with 503.
        max_body: bytes of a request.
        max_pixels: of a picture, width times height.
        max_connections: open at a time.
        client_timeout: seconds that a client may take to send a request, to read its answer, or to stay idle.
        queue_timeout: seconds that a request may wait for its model.
        grace: seconds to finish accepted requests after SIGTERM.

    Raises:
        ConfigError: names the option, what it may be and what it was.
    """

    max_batch: int = 32
    max_queue: int = 512
    max_body: int = 32 * 2**20
    max_pixels: int = 50_000_000
    max_connections: int = 1024
    client_timeout: float = 20.0
    queue_timeout: float = 30.0
    grace: int = 10

    def __post_init__(self) -> None:
        between("max_batch", self.max_batch, 1, 4096)
        between("max_queue", self.max_queue, 1, 1_000_000)
        between("max_body", self.max_body, 1024, 2**31)
        between("max_pixels", self.max_pixels, 1, 2**40)
        between("max_connections", self.max_connections, 1, 100_000)
        between("grace", self.grace, 0, 3600)
        for name in ("client_timeout", "queue_timeout"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"`{name}` must be above 0 seconds. Received: {value}. Leave it out.")


@dataclass(frozen=True)
class ServeConfig:
    """How to serve models.

    Attributes:
        models: paths of artifacts or lone `.onnx` files, each perhaps as ``NAME=PATH``; none takes the newest below
            `exported/`, else the shipped reference.
        host: the address to listen on. Other machines cannot reach 127.0.0.1, ::1 and localhost.
        port: 0 takes any free one.
        variant: of every model; None takes what `edgeconv benchmark --tune` found best for this device, else the best
            for its provider: int8 on the CPU where it is there, else fp32.
        device: as `Predictor` takes it.
        threads: threads inside an operator; None takes what was found best, else one.
        timeout: seconds that a call of a model may take; None: see `Predictor`.
        limits: what one client may ask for.
        api_keys: if there are any, each request needs one of them.
        allowed_hosts: names that the server is reached by, besides its address; any where it listens for others.
        certificate: a file of certificates in PEM form; with it the server speaks TLS.
        certificate_key: the file of its private key, where that is another one.
        grpc_port: port for gRPC; None means no gRPC.
        workers: number of server processes.
        access_log: whether each request is a line of JSON on stdout.

    Raises:
        ConfigError: names the option, what it may be and what it was.
    """

    models: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    variant: str | None = None
    device: str = "auto"
    threads: int | None = None
    timeout: float | None = None
    limits: Limits = Limits()
    api_keys: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    certificate: str | None = None
    certificate_key: str | None = None
    grpc_port: int | None = None
    workers: int = 1
    access_log: bool = True

    def __post_init__(self) -> None:
        between("port", self.port, 0, 65535)
        if self.grpc_port is not None:
            between("grpc_port", self.grpc_port, 1, 65535)
        between("workers", self.workers, 1, 256)
        check_device(self.device)
        if self.threads is not None:
            check_threads(self.threads)
        check_timeout(self.timeout)
        if self.certificate_key is not None and self.certificate is None:
            raise ConfigError(
                "`certificate_key` requires a certificate. Received: the key alone. Name the certificate's file too."
            )

    @property
    def is_local(self) -> bool:
        """Whether no other machine reaches the server."""
        return self.host in LOOPBACK
