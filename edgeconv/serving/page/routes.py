"""The addresses of the pages: `/` leads to the first model's."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from starlette.routing import Route

from edgeconv.serving.errors import RequestError
from edgeconv.serving.http.messages import Endpoint, Reply, Request
from edgeconv.serving.models.repository import Repository
from edgeconv.serving.models.served_model import ServedModel
from edgeconv.serving.page.rendering import page_of

HEADERS = [
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
]


def page_routes(repository: Repository) -> list[Route]:
    """Return the addresses of the pages."""
    rendered: dict[str, tuple[ServedModel, dict[str, tuple[bytes, bytes]]]] = {}

    async def start(_: Request) -> Reply:
        name = next((one.name for one in repository.entries.values() if one.wanted), next(iter(repository.entries)))
        return Reply(
            b"", HTTPStatus.TEMPORARY_REDIRECT, headers=[(b"location", f"/ui/{quote(name, safe='')}/".encode())]
        )

    async def file(request: Request) -> Reply:
        model, _ = repository.ready(request.path_params["model"])
        name = request.path_params.get("file", "index.html")
        if rendered.get(model.name, (None,))[0] is not model:  # Another has taken its place since.
            rendered[model.name] = model, page_of(model, list(repository.entries))
        files = rendered[model.name][1]
        if name not in files:
            raise RequestError(HTTPStatus.NOT_FOUND, "A file of the page is required. See `/`.")
        content, kind = files[name]
        return Reply(content, content_type=kind, headers=list(HEADERS))

    return [
        Route("/", Endpoint(start), methods=["GET"]),
        Route("/ui/{model}/", Endpoint(file), methods=["GET"]),
        Route("/ui/{model}/{file}", Endpoint(file), methods=["GET"]),
    ]
