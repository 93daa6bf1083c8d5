"""The Open Inference Protocol over gRPC: the same models, batches and errors as over HTTP.

The messages are those of Triton's own client, which ships them generated: it is what speaks to this service.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

from edgeconv.errors import ConfigError, InputError, one_line
from edgeconv.serving.answering import Answering
from edgeconv.serving.config import ServeConfig
from edgeconv.serving.http.access_log import say
from edgeconv.serving.http.error_replies import reply_of
from edgeconv.serving.http.inference_routes import EXTENSIONS, configure, describe
from edgeconv.serving.http.keys import Keys
from edgeconv.serving.http.repository_routes import row_of
from edgeconv.serving.protocol.binary_strings import as_bytes
from edgeconv.serving.protocol.classification import best_classes
from edgeconv.serving.protocol.datatypes import BYTES, NUMPY, name_of
from edgeconv.serving.protocol.request import InferenceRequest, Tensor, WantedOutput, tensor_of
from edgeconv.serving.protocol.response import InferenceAnswer

_CODES = {
    HTTPStatus.BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.UNAUTHORIZED: grpc.StatusCode.UNAUTHENTICATED,
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
}

_OPEN = ("/inference.GRPCInferenceService/ServerLive", "/inference.GRPCInferenceService/ServerReady")
"""Methods that need no key: probes have none."""

_CONTENTS = {
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    **{"BOOL": "bool_contents", "INT64": "int64_contents", "UINT64": "uint64_contents"},
    **{"FP32": "fp32_contents", "FP64": "fp64_contents", BYTES: "bytes_contents"},
}
"""Where a request has numbers that are no raw bytes, by their datatype."""


async def start_grpc(config: ServeConfig, answering: Answering) -> Any:
    """Start the service at its port, and return gRPC's server.

    Raises:
        ConfigError: the port cannot be had, or a certificate cannot be read.
    """
    options = [("grpc.max_receive_message_length", config.limits.max_body)]
    keys = Keys(config.api_keys)
    server = grpc.aio.server(interceptors=[_Gate(keys)] if keys else [], options=options)
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(_service(answering, config), server)
    address = f"[{config.host}]" if ":" in config.host else config.host
    try:
        if config.certificate is None:
            server.add_insecure_port(f"{address}:{config.grpc_port}")
        else:
            chain = Path(config.certificate).read_bytes()
            key = Path(config.certificate_key or config.certificate).read_bytes()
            server.add_secure_port(f"{address}:{config.grpc_port}", grpc.ssl_server_credentials([(key, chain)]))
    except (RuntimeError, OSError) as error:
        raise ConfigError(
            f"`grpc_port` must be a free port. Received: {config.grpc_port}, {one_line(error)}. Name another."
        ) from error
    await server.start()
    return server


class _Gate(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc ships no types.
    """Lets in who has a key."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        asked = {name: value.encode() for name, value in details.invocation_metadata or () if isinstance(value, str)}
        known = self._keys.admit(asked.get("authorization", b""), asked.get("x-api-key", b""))
        return await continuation(details) if known or details.method in _OPEN else _REFUSING


async def _refuse(_: Any, context: Any) -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "A key is required. Send `authorization: Bearer KEY`.")


_REFUSING = grpc.unary_unary_rpc_method_handler(_refuse)


def _service(answering: Answering, config: ServeConfig) -> Any:
    """Return the service: a method for each of the protocol's that this server has."""
    repository = answering.repository

    async def live(_: Any) -> Any:
        return service_pb2.ServerLiveResponse(live=True)

    async def ready(_: Any) -> Any:
        return service_pb2.ServerReadyResponse(ready=repository.is_ready)

    async def model_ready(asked: Any) -> Any:
        entry = repository.entries.get(asked.name)
        return service_pb2.ModelReadyResponse(ready=entry is not None and entry.state == "READY")

    async def server(_: Any) -> Any:
        return service_pb2.ServerMetadataResponse(
            name="edgeconv", version=version("edgeconv"), extensions=list(EXTENSIONS)
        )

    async def metadata(asked: Any) -> Any:
        return service_pb2.ModelMetadataResponse(**describe(repository.ready(asked.name, asked.version)[0]))

    async def configuration(asked: Any) -> Any:
        found = configure(*repository.ready(asked.name, asked.version))
        return service_pb2.ModelConfigResponse(config=model_config_pb2.ModelConfig(**found))

    async def infer(asked: Any) -> Any:
        request = _read(asked)
        answer = await answering.infer(asked.model_name, asked.model_version, request)
        return _written(answer, request)

    async def index(asked: Any) -> Any:
        entries = [entry for entry in repository.entries.values() if entry.state == "READY" or not asked.ready]
        rows = [service_pb2.RepositoryIndexResponse.ModelIndex(**row_of(entry)) for entry in entries]
        return service_pb2.RepositoryIndexResponse(models=rows)

    async def load(asked: Any) -> Any:
        _require_one_process(config.workers)
        entry = await repository.load(asked.model_name)
        if entry.reason:
            raise InputError(f"`{asked.model_name}` must be a model that answers. Received: {entry.reason}.")
        return service_pb2.RepositoryModelLoadResponse()

    async def unload(asked: Any) -> Any:
        _require_one_process(config.workers)
        repository.unload(asked.model_name)
        return service_pb2.RepositoryModelUnloadResponse()

    service = service_pb2_grpc.GRPCInferenceServiceServicer()
    methods: dict[str, Callable[[Any], Awaitable[Any]]] = {
        "ServerLive": live,
        "ServerReady": ready,
        "ServerMetadata": server,
        "ModelReady": model_ready,
        "ModelMetadata": metadata,
        "ModelConfig": configuration,
        "ModelInfer": infer,
        "RepositoryIndex": index,
        "RepositoryModelLoad": load,
        "RepositoryModelUnload": unload,
    }
    for name, handle in methods.items():
        setattr(service, name, _guarded(name, handle))
    service.ModelStreamInfer = _streaming(infer)
    return service


def _require_one_process(workers: int) -> None:
    if workers > 1:
        raise InputError("Requests load models of a single process. Received: several. Send SIGHUP.")


def _guarded(name: str, handle: Callable[[Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def method(asked: Any, context: Any) -> Any:
        try:
            return await handle(asked)
        except Exception as error:
            code, words = _code_and_words(error, name)
        return await context.abort(code, words)

    return method


def _streaming(infer: Callable[[Any], Awaitable[Any]]) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def method(stream: AsyncIterator[Any], _: Any) -> AsyncIterator[Any]:
        async for asked in stream:
            try:
                yield service_pb2.ModelStreamInferResponse(infer_response=await infer(asked))
            except Exception as error:
                yield service_pb2.ModelStreamInferResponse(error_message=_code_and_words(error, "ModelStreamInfer")[1])

    return method


def _code_and_words(error: Exception, name: str) -> tuple[Any, str]:
    reply = reply_of(error, name, say)
    return _CODES.get(HTTPStatus(reply.status), grpc.StatusCode.INTERNAL), json.loads(reply.body)["error"]


def _read(asked: Any) -> InferenceRequest:
    """Return a request of the protocol, of gRPC's message."""
    raw = list(asked.raw_input_contents)
    if raw and len(raw) != len(asked.inputs):
        raise InputError(f"`raw_input_contents` must be of all inputs. Received: {len(raw)}. Send one for each.")
    inputs: dict[str, Tensor] = {}
    for place, given in enumerate(asked.inputs):
        shape = list(given.shape)
        content = memoryview(raw[place]) if raw else _content(given)
        inputs[given.name] = tensor_of(given.name, shape, given.datatype, content)
    outputs = tuple(
        WantedOutput(wanted.name, None, wanted.parameters["classification"].int64_param)
        if "classification" in wanted.parameters
        else WantedOutput(wanted.name)
        for wanted in asked.outputs
    )
    return InferenceRequest(asked.id or None, inputs, outputs, True)


def _content(given: Any) -> memoryview:
    """Return numbers that are listed in a message as the bytes that raw ones have."""
    field = _CONTENTS.get(given.datatype)
    if field is None:
        raise InputError(f"`{given.name[:100]}` must be sent as raw bytes. Received: {given.datatype[:20]} in a list.")
    listed: Sequence[Any] = getattr(given.contents, field)
    if given.datatype == BYTES:
        return memoryview(as_bytes(listed))
    try:
        return memoryview(np.array(listed, NUMPY[given.datatype]).tobytes())
    except (OverflowError, ValueError):
        raise InputError(f"`{given.name[:100]}` must hold {given.datatype}. Received: other numbers.") from None


def _written(answer: InferenceAnswer, request: InferenceRequest) -> Any:
    first = next(iter(answer.outputs))
    made = service_pb2.ModelInferResponse(model_name=answer.model, model_version=answer.version, id=request.id or "")
    for wanted in request.outputs or tuple(map(WantedOutput, answer.outputs)):
        datatype, shape, content = _output(answer.outputs, wanted, answer.labels if wanted.name == first else ())
        made.outputs.add(name=wanted.name, datatype=datatype, shape=shape)
        made.raw_output_contents.append(content)
    return made


def _output(
    outputs: Mapping[str, NDArray[Any]], wanted: WantedOutput, labels: Sequence[str]
) -> tuple[str, tuple[int, ...], bytes]:
    array = outputs[wanted.name]
    if wanted.classes:
        strings = best_classes(array, wanted, labels)
        return BYTES, strings.shape, as_bytes(strings.ravel().tolist())
    return name_of(array.dtype), array.shape, np.ascontiguousarray(array).tobytes()
