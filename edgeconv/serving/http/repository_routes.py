"""Triton's repository extension: which models there are, and loading and unloading them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.routing import Route

from edgeconv.errors import InputError
from edgeconv.serving.errors import RequestError
from edgeconv.serving.http.messages import Endpoint, Reply, Request
from edgeconv.serving.models.repository import Entry, Repository
from edgeconv.serving.models.served_model import VERSION

_MOST_BYTES = 2**16


def repository_routes(repository: Repository, *, workers: int) -> list[Route]:
    """Return the addresses below `/v2/repository`.

    Args:
        repository: of this process.
        workers: processes that serve. Of several, a request reaches one, and so must not change its models.
    """

    def require_one_process() -> None:
        if workers > 1:
            raise InputError("Requests load models of a single process. Received: several. Send SIGHUP.")

    async def index(request: Request) -> Reply:
        only_ready = (await _options(request)).get("ready", False)
        if type(only_ready) is not bool:
            raise InputError(f"`ready` must be true or false. Received: {str(only_ready)[:40]}. Leave it out for all.")
        entries = [entry for entry in repository.entries.values() if entry.state == "READY" or not only_ready]
        return Reply.of_json([row_of(entry) for entry in entries])

    async def load(request: Request) -> Reply:
        name = request.path_params["model"]
        repository.entry(name)
        require_one_process()
        parameters = (await _options(request)).get("parameters")
        if parameters:
            raise InputError("Models are loaded as they lie there. Received: `parameters`. Leave them out.")
        entry = await repository.load(name)
        if entry.reason:
            raise RequestError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"`{name}` must be a model that answers as Keras did. Received: {entry.reason}.",
            )
        return Reply(b"")

    async def unload(request: Request) -> Reply:
        name = request.path_params["model"]
        repository.entry(name)
        require_one_process()
        await _options(request)
        repository.unload(name)
        return Reply(b"")

    def route(path: str, handle: Any) -> Route:
        return Route(f"/v2/repository/{path}", Endpoint(handle), methods=["POST"])

    return [
        route("index", index),
        route("models/{model}/load", load),
        route("models/{model}/unload", unload),
    ]


def row_of(entry: Entry) -> dict[str, Any]:
    """Return what the index says of a model."""
    return {"name": entry.name, "version": VERSION, "state": entry.state, "reason": entry.reason}


async def _options(request: Request) -> dict[str, Any]:
    body = await request.body(_MOST_BYTES)
    try:
        options = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise InputError("A request requires a JSON object. Received: other bytes. Leave the body out.") from None
    if not isinstance(options, dict):
        raise InputError(f"A request requires a JSON object. Received: {type(options).__name__}. Leave the body out.")
    return options
