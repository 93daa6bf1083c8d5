"""`edgeconv serve`."""

from __future__ import annotations

import click

from .variant_options import device_option, timeout_option, variant_option


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0: reachable by all machines."
)
@click.option("--port", default=8000, show_default=True, help="Port to listen on; 0: any free one.")
@variant_option("what benchmark --tune chose, else int8")
@device_option
@click.option("--threads", type=int, help="Threads inside an operator. Default: what benchmark --tune chose, else 1.")
@timeout_option
@click.option("--max-batch", default=32, show_default=True, help="Largest number of rows in a call of the model.")
@click.option(
    "--max-queue", default=512, show_default=True, help="Requests that may wait; more are refused with status 503."
)
@click.option("--max-body", default=32, show_default=True, help="Largest request, in MiB.")
@click.option("--max-pixels", default=50, show_default=True, help="Largest picture, in megapixels.")
@click.option("--max-connections", default=1024, show_default=True, help="Largest number of open connections.")
@click.option("--client-timeout", default=20.0, show_default=True, help="Seconds that a client may take for a request.")
@click.option("--queue-timeout", default=30.0, show_default=True, help="Seconds that a request may wait.")
@click.option("--grace", default=10, show_default=True, help="Seconds to finish accepted requests after SIGTERM.")
@click.option(
    "--api-keys",
    metavar="FILE",
    help="File of keys that requests need, one per line; or EDGECONV_API_KEYS, separated by commas.",
)
@click.option(
    "--allowed-host",
    multiple=True,
    metavar="NAME",
    help="A host name that clients use, for instance of a proxy; repeatable.",
)
@click.option("--certificate", metavar="FILE", help="Certificates in PEM format, for TLS.")
@click.option("--certificate-key", metavar="FILE", help="The certificate's private key, if it is in another file.")
@click.option("--grpc-port", type=int, help="Port for gRPC. Default: none.")
@click.option("--workers", default=1, show_default=True, help="Number of server processes.")
@click.option(
    "--access-log/--no-access-log",
    default=True,
    show_default=True,
    help="Write a line of JSON for each request to stdout.",
)
def command(
    models: tuple[str, ...],
    host: str,
    port: int,
    variant: str | None,
    device: str,
    threads: int | None,
    timeout: float | None,
    max_batch: int,
    max_queue: int,
    max_body: int,
    max_pixels: int,
    max_connections: int,
    client_timeout: float,
    queue_timeout: float,
    grace: int,
    api_keys: str | None,
    allowed_host: tuple[str, ...],
    certificate: str | None,
    certificate_key: str | None,
    grpc_port: int | None,
    workers: int,
    access_log: bool,
) -> None:
    """Serve models over HTTP, with a page to try them.

    The server speaks the Open Inference Protocol and takes pictures at /predict; the page is at /. MODEL is an
    artifact's folder or a lone .onnx file, or NAME=PATH. Default: the newest, else the model that the package ships.
    Only this machine can reach the server, unless --host says otherwise.

    \b
    Example: edgeconv serve exported/mnist --port 8000
    """
    from edgeconv.errors import require

    require("starlette", "uvicorn", "httptools", "msgspec", "prometheus_client", extra="serve", purpose="Serving")
    if grpc_port is not None:
        require("grpc", "tritonclient", extra="grpc", purpose="Serving over gRPC")
    from edgeconv.serving.config import Limits, ServeConfig
    from edgeconv.serving.http.keys import read_keys
    from edgeconv.serving.server import serve

    limits = Limits(
        max_batch=max_batch,
        max_queue=max_queue,
        max_body=max_body * 2**20,
        max_pixels=max_pixels * 1_000_000,
        max_connections=max_connections,
        client_timeout=client_timeout,
        queue_timeout=queue_timeout,
        grace=grace,
    )
    serve(
        ServeConfig(
            models,
            host=host,
            port=port,
            variant=variant,
            device=device,
            threads=threads,
            timeout=timeout,
            limits=limits,
            api_keys=read_keys(api_keys),
            allowed_hosts=allowed_host,
            certificate=certificate,
            certificate_key=certificate_key,
            grpc_port=grpc_port,
            workers=workers,
            access_log=access_log,
        )
    )
