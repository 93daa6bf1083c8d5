"""The description of the server's addresses, in OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from edgeconv.serving.models.served_model import VERSION
from edgeconv.serving.protocol.datatypes import BYTES, NUMPY

Schema = dict[str, Any]


def openapi(models: Sequence[str], *, keys: bool) -> Schema:
    """Return the description.

    Args:
        models: their names.
        keys: whether requests need a key.
    """
    name = {"name": "model", "in": "path", "required": True, "schema": {"enum": list(models)}}
    number = {"name": "version", "in": "path", "required": True, "schema": {"enum": [VERSION]}}
    found: Schema = {
        "/v2": {"get": _get("The server and what it has of the protocol", _SERVER)},
        "/v2/health/live": {"get": _get("Whether the server answers", _flag("live"))},
        "/v2/health/ready": {"get": _get("Whether every model has answered its golden vectors", _flag("ready"), 503)},
        "/v2/repository/index": {"post": _post("The models", _INDEX_OPTIONS, _answer(_array(_ROW)))},
        "/metrics": {"get": _operation("Figures for Prometheus", {"200": _content("text/plain", {"type": "string"})})},
        "/openapi.json": {"get": _get("This description", {"type": "object"})},
        "/predict": {"post": _predict("Answer pictures with the only model")},
    }
    for path, parameters in (("/v2/models/{model}", [name]), ("/v2/models/{model}/versions/{version}", [name, number])):
        found[path] = {"get": _get("What a model takes and answers", _MODEL, 503)}
        found[f"{path}/ready"] = {"get": _get("Whether a model is loaded", _flag("ready"), 503)}
        found[f"{path}/config"] = {"get": _get("A model in Triton's form", {"type": "object"}, 503)}
        found[f"{path}/infer"] = {"post": _post("Answer arrays, or pictures as BYTES", _REQUEST, _answer(_ANSWER), 503)}
        for below in ("", "/ready", "/config", "/infer"):
            found[f"{path}{below}"]["parameters"] = parameters
    for action in ("load", "unload"):
        path = f"/v2/repository/models/{{model}}/{action}"
        found[path] = {"post": _post(f"{action.capitalize()} a model", {"type": "object"}, {"description": "Done"})}
        found[path]["parameters"] = [name]
    found["/v2/models/{model}/predict"] = {"post": _predict("Answer pictures"), "parameters": [name]}
    described: Schema = {
        "openapi": "3.1.0",
        "info": {"title": "edgeconv", "version": version("edgeconv")},
        "paths": found,
    }
    if keys:
        described["components"] = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
        described["security"] = [{"key": []}]
    return described


def _operation(summary: str, responses: Schema, *more: int) -> Schema:
    refused = {str(status): _content("application/json", _ERROR) for status in (*_ALWAYS, *more)}
    return {"summary": summary, "responses": responses | refused}


def _get(summary: str, schema: Schema, *more: int) -> Schema:
    return _operation(summary, {"200": _answer(schema)}, *more)


def _post(summary: str, body: Schema, answer: Schema, *more: int) -> Schema:
    content = {"application/json": {"schema": body}}
    operation = _operation(summary, {"200": answer}, *_OF_BODIES, *more)
    return {**operation, "requestBody": {"required": "inputs" in body.get("required", ()), "content": content}}


def _predict(summary: str) -> Schema:
    picture = {"type": "string", "format": "binary"}
    content = {
        "image/png": {"schema": picture},
        "image/jpeg": {"schema": picture},
        "multipart/form-data": {"schema": {"type": "object", "properties": {"file": picture}, "required": ["file"]}},
        "application/json": {
            "schema": {"type": "array", "minItems": 1, "items": {"type": "string", "contentEncoding": "base64"}}
        },
    }
    answers = {"200": _answer({"anyOf": [{"type": "object"}, _array({"type": "object"})]})}
    answers["200"]["content"]["image/png"] = {"schema": picture}
    parameters = [
        {"name": "top_k", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 99_999_999}},
        {"name": "threshold", "in": "query", "schema": {"type": "number", "minimum": 0, "maximum": 1}},
    ]
    operation = _operation(summary, answers, *_OF_BODIES, 406, 503)
    return {**operation, "parameters": parameters, "requestBody": {"required": True, "content": content}}


def _content(kind: str, schema: Schema) -> Schema:
    return {"description": "The answer", "content": {kind: {"schema": schema}}}


def _answer(schema: Schema) -> Schema:
    return _content("application/json", schema)


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _flag(name: str) -> Schema:
    return _object(**{name: {"type": "boolean"}})


_ALWAYS = (400, 401, 403, 404, 405, 408, 431)
_OF_BODIES = (413, 415, 500, 504)
"""What any address, and any that takes a body, may answer besides."""

_TEXT: Schema = {"type": "string"}
_SHAPE = _array({"type": "integer", "minimum": -1})
_DATATYPE: Schema = {"enum": [*NUMPY, BYTES]}
_TENSOR = _object(name=_TEXT, datatype=_DATATYPE, shape=_SHAPE)
_ERROR = _object(error=_TEXT)
_SERVER = _object(name=_TEXT, version=_TEXT, extensions=_array(_TEXT))
_MODEL = _object(name=_TEXT, versions=_array(_TEXT), platform=_TEXT, inputs=_array(_TENSOR), outputs=_array(_TENSOR))
_ROW = _object(name=_TEXT, version=_TEXT, state={"enum": ["READY", "LOADING", "UNAVAILABLE"]}, reason=_TEXT)
_INDEX_OPTIONS: Schema = {"type": "object", "properties": {"ready": {"type": "boolean"}}}
_GIVEN: Schema = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "shape": _array({"type": "integer", "minimum": 0}),
        "datatype": _DATATYPE,
        "data": {"type": "array"},
    },
    "required": ["name", "shape", "datatype", "data"],
}
_REQUEST: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "maxLength": 256},
        "inputs": {**_array(_GIVEN), "minItems": 1},
        "outputs": _array({"type": "object", "properties": {"name": _TEXT}, "required": ["name"]}),
    },
    "required": ["inputs"],
}
_ANSWER = _object(
    model_name=_TEXT,
    model_version=_TEXT,
    outputs=_array({**_TENSOR, "properties": {**_TENSOR["properties"], "data": {"type": "array"}}}),
)
