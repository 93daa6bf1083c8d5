"""Pictures in, answers out, as `edgeconv predict` gives them: for `curl`, and for apps without a client library."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote

import msgspec
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.routing import Route

from edgeconv.errors import InputError
from edgeconv.pictures.masks import mask_png, picture_png
from edgeconv.runtime.results import MadePicture, Mask, Result
from edgeconv.serving.answering import Answering, too_many
from edgeconv.serving.config import Limits
from edgeconv.serving.errors import RequestError
from edgeconv.serving.http.messages import JSON, Endpoint, Reply, Request

PNG = "image/png"

_PICTURE_TYPES = ("image/", "application/octet-stream", "application/x-www-form-urlencoded")
"""Kinds of bodies that are a picture; the last is what `curl --data-binary` says where nobody says otherwise."""

DEFAULT_TOP_K = 3

_FILES = msgspec.json.Decoder(Annotated[list[str], msgspec.Meta(min_length=1)])


def predict_routes(answering: Answering, limits: Limits) -> list[Route]:
    """Return `/predict`, of the only model, and `/v2/models/{model}/predict`."""

    async def predict(request: Request) -> Reply:
        names = list(answering.repository.entries)
        name = request.path_params.get("model") or names[0]
        if "model" not in request.path_params and len(names) > 1:
            raise RequestError(
                HTTPStatus.NOT_FOUND,
                "A model must be named where there are several. Received: none. "
                f"Post to `/v2/models/{quote(name, safe='')}/predict`.",
            )
        top_k, threshold = _options(request)
        answering.repository.ready(name)
        body = await request.body(limits.max_body)
        pictures, listed = await _pictures_in(body, request, limits)
        found = await answering.pictures(name, pictures, top_k=top_k, threshold=threshold)
        if PNG in (request.header(b"accept") or ""):
            return _png(found, answering, name)
        if listed:
            return Reply.of_json([_row(one) for one in found])
        (only,) = found
        if isinstance(only, Exception):
            raise only
        return Reply.of_json(only.as_dict())

    return [
        Route("/predict", Endpoint(predict), methods=["POST"]),
        Route("/v2/models/{model}/predict", Endpoint(predict), methods=["POST"]),
    ]


def _options(request: Request) -> tuple[int, float | None]:
    """Return how many classes to list, and the probability from which on a tag, a yes or a box is answered."""
    top_k, threshold = str(DEFAULT_TOP_K), None
    for name, value in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name == "top_k":
            top_k = value
        elif name == "threshold":
            threshold = value
        else:
            raise InputError(f"`/predict` takes top_k and threshold. Received: {name[:40]}. Leave it out.")
    if not (top_k.isascii() and top_k.isdigit() and len(top_k) < 9 and int(top_k) >= 1):
        raise InputError(f"`top_k` must be a whole number of at least 1. Received: {top_k[:40]}. Leave it out for 3.")
    try:
        limit = None if threshold is None else float(threshold)
    except ValueError:
        limit = -1.0
    if limit is not None and not 0.0 <= limit <= 1.0:
        raise InputError(f"`threshold` must be 0 to 1. Received: {str(threshold)[:40]}. Leave it out for the model's.")
    return int(top_k), limit


async def _pictures_in(body: bytes, request: Request, limits: Limits) -> tuple[list[bytes], bool]:
    """Return the pictures of a body, and whether they are a list, be it of one."""
    kind = (request.header(b"content-type") or "application/octet-stream").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _uploaded(body, request, limits), True
    if kind == JSON:
        return _of_json(body, limits), True
    if kind.startswith(_PICTURE_TYPES):
        return [body], False
    raise RequestError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"A picture, multipart/form-data or {JSON} is required. Received: {kind[:60]}. Post the bytes of a file: "
        "`curl --data-binary @picture.png`.",
    )


def _of_json(body: bytes, limits: Limits) -> list[bytes]:
    most = limits.max_batch
    try:
        files = _FILES.decode(body)
        pictures = [base64.b64decode(one, validate=True) for one in files[: most + 1]]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise InputError("A JSON list of pictures in base64 is required. Received: other JSON. Encode each.") from None
    if len(files) > most:
        raise too_many(most, len(files))
    return pictures


async def _uploaded(body: bytes, request: Request, limits: Limits) -> list[bytes]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        Headers(raw=request.scope["headers"]),
        stream(),
        max_files=limits.max_batch,
        max_fields=limits.max_batch,
    )
    parser.spool_max_size = limits.max_body  # What is in memory already goes to no disk.
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        reason = getattr(error, "message", "no boundary")
        raise InputError(f"multipart/form-data is required. Received: {reason}. Send files with a boundary.") from None
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    pictures = [await file.read() for file in files]
    await form.close()
    if not pictures:
        raise InputError("Files are required in the form. Received: none. Send some, such as `curl -F file=@a.png`.")
    return pictures


def _row(found: Result | Exception) -> dict[str, Any]:
    if isinstance(found, Exception):
        return {"error": str(found).replace("<picture>", "the picture")}
    return found.as_dict()


def _png(found: list[Result | Exception], answering: Answering, name: str) -> Reply:
    """Return an answer that is a picture, as a PNG."""
    if len(found) != 1:
        raise RequestError(
            HTTPStatus.NOT_ACCEPTABLE,
            f"One picture a request becomes a PNG. Received: {len(found)}. Send them one by one.",
        )
    (only,) = found
    if isinstance(only, Exception):
        raise only
    if isinstance(only, Mask):
        return Reply(mask_png(only.classes, len(only.labels)), content_type=PNG.encode())
    value_range = answering.repository.ready(name)[0].manifest.output.value_range
    if isinstance(only, MadePicture) and value_range is not None:
        return Reply(picture_png(only.pixels, value_range), content_type=PNG.encode())
    raise RequestError(
        HTTPStatus.NOT_ACCEPTABLE,
        f"`{name}` answers with JSON. Received: a request for {PNG}. Accept {JSON}: masks and pictures are PNGs.",
    )
