"""The Open Inference Protocol over REST: the server, its models, inference."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from starlette.routing import Route

from edgeconv.errors import InputError
from edgeconv.manifest import ArraySpec
from edgeconv.serving.answering import Answering
from edgeconv.serving.config import Limits
from edgeconv.serving.errors import RequestError
from edgeconv.serving.http.messages import BY_NAME, Endpoint, Reply, Request
from edgeconv.serving.models.batching import Batcher
from edgeconv.serving.models.served_model import VERSION, ServedModel
from edgeconv.serving.protocol.datatypes import name_of
from edgeconv.serving.protocol.request import InferenceRequest, read_request
from edgeconv.serving.protocol.response import InferenceAnswer, write_answer

EXTENSIONS = ("binary_tensor_data", "classification", "model_configuration", "model_repository")

LARGE = 2**20
"""Bytes of a body from which on it is read in a thread, and answered by no shorter way: a core takes some 40 ms for as
much JSON, in which the server would answer nobody else."""

_HEADER_LENGTH = b"inference-header-content-length"
_BINARY = b"application/octet-stream"


def inference_routes(answering: Answering, limits: Limits) -> list[Route]:
    """Return the addresses below `/v2`; inference comes first, since it is asked for most."""
    repository = answering.repository
    reading = asyncio.Lock()  # One large request after the other, since each takes several times its size.

    async def infer(request: Request) -> Reply:
        params = request.path_params
        repository.ready(params["model"], params.get("version"))  # Before the body is there.
        body = await request.body(limits.max_body)
        headers = request.scope[BY_NAME]
        if len(body) < LARGE:
            asked = request_in(body, headers)
        else:
            async with reading:
                asked = await asyncio.to_thread(request_in, body, headers)
        return reply_to(asked, await answering.infer(params["model"], params.get("version"), asked))

    async def metadata(request: Request) -> Reply:
        return Reply.of_json(describe(_model(request)[0]))

    async def configuration(request: Request) -> Reply:
        return Reply.of_json(configure(*_model(request)))

    async def model_ready(request: Request) -> Reply:
        _model(request)
        return Reply.of_json({"name": request.path_params["model"], "ready": True})

    def _model(request: Request) -> tuple[ServedModel, Batcher]:
        return repository.ready(request.path_params["model"], request.path_params.get("version"))

    async def live(_: Request) -> Reply:
        return Reply.of_json({"live": True})

    async def ready(_: Request) -> Reply:
        if not repository.is_ready:
            waiting = [entry.name for entry in repository.entries.values() if entry.wanted and entry.state != "READY"]
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"All models must be loaded. Received: {', '.join(waiting)} not yet. Try again.",
            )
        return Reply.of_json({"ready": True})

    async def server(_: Request) -> Reply:
        return Reply.of_json({"name": "edgeconv", "version": version("edgeconv"), "extensions": list(EXTENSIONS)})

    def route(path: str, handle: Any, method: str = "GET") -> Route:
        return Route(path, Endpoint(handle), methods=[method])

    model, versioned = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
    return [
        route(f"{model}/infer", infer, "POST"),
        route(f"{versioned}/infer", infer, "POST"),
        route("/v2/health/live", live),
        route("/v2/health/ready", ready),
        route("/v2", server),
        *(route(path, metadata) for path in (model, versioned)),
        *(route(f"{path}/config", configuration) for path in (model, versioned)),
        *(route(f"{path}/ready", model_ready) for path in (model, versioned)),
    ]


def request_in(body: bytes, headers: Mapping[bytes, bytes]) -> InferenceRequest:
    """Return what a body asks for.

    Raises:
        InputError: it is no such request.
    """
    length = headers.get(_HEADER_LENGTH)
    if length is None:
        return read_request(body)
    if not length.isdigit() or len(length) > 12:
        raise InputError(
            f"`Inference-Header-Content-Length` must be a number. Received: {length[:40].decode('latin-1')}. Count the "
            "JSON's bytes."
        )
    return read_request(body, int(length))


def reply_to(asked: InferenceRequest, answer: InferenceAnswer) -> Reply:
    """Return the answer to a request in the form that it asked for.

    Raises:
        InputError: it cannot have that form.
    """
    content, length = write_answer(answer, asked)
    if length is None:
        return Reply(content)
    return Reply(content, content_type=_BINARY, headers=[(_HEADER_LENGTH, b"%d" % length)])


def describe(model: ServedModel) -> dict[str, Any]:
    """Return the metadata of a model; -1 stands for an axis of any size."""
    return {
        "name": model.name,
        "versions": [VERSION],
        "platform": "onnxruntime_onnx",
        "inputs": [_tensor(spec) for spec in model.inputs.values()],
        "outputs": [_tensor(spec) for spec in model.outputs.values()],
    }


def _tensor(spec: ArraySpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": name_of(spec.dtype), "shape": _sizes(spec.shape)}


def _sizes(shape: tuple[int | str, ...]) -> list[int]:
    return [size if isinstance(size, int) else -1 for size in shape]


def configure(model: ServedModel, batcher: Batcher) -> dict[str, Any]:
    """Return the configuration of a model in Triton's form, whose dims leave out the batch."""
    most = batcher.max_batch if model.batched else 0

    def ends(specs: Mapping[str, ArraySpec]) -> list[dict[str, Any]]:
        return [
            {
                "name": spec.name,
                "data_type": f"TYPE_{name_of(spec.dtype)}",
                "dims": _sizes(spec.shape[1:] if model.batched else spec.shape),
            }
            for spec in specs.values()
        ]

    return {
        "name": model.name,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "version_policy": {"latest": {"num_versions": 1}},
        "max_batch_size": most,
        "input": ends(model.inputs),
        "output": ends(model.outputs),
        "parameters": {
            "variant": {"string_value": model.runner.variant},
            "task": {"string_value": model.manifest.task},
        },
    }
