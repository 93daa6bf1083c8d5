"""Write the JSON Schema of `manifest.json` from the classes that read it: ``python docs/tools/manifest_schema.py``."""

from __future__ import annotations

import json
import re
import types
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from edgeconv.manifest import FORMAT, SCHEMA_VERSION, Manifest
from edgeconv.record import EMPTY, ONE_OF, PATTERN, Json, key_of

FILE = Path(__file__).parents[1] / "schema" / "manifest.schema.json"

WHOLE = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: WHOLE,
    float: {"type": "number"},
    type(None): {"type": "null"},
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a manifest; keys that it does not name are allowed, as readers ignore them."""
    definitions: dict[str, Any] = {}
    manifest = _object(Manifest, definitions)
    header = {"format": {"const": FORMAT}, "schema_version": {"const": SCHEMA_VERSION}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "edgeconv manifest",
        **manifest,
        "properties": {**header, **manifest["properties"]},
        "required": [*header, *manifest["required"]],
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """Return the schema as it stands in its file."""
    return json.dumps(schema(), indent=2) + "\n"


def _object(kind: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a dataclass, with what its docstring says of it and of each key."""
    said, hints = _attributes(kind), get_type_hints(kind)
    properties, required = {}, []
    for item in fields(kind):
        value = _value(hints[item.name], definitions)
        if item.metadata.get(EMPTY):  # Where nothing is known, an object without keys.
            value = {"anyOf": [value["anyOf"][0], {"type": "object", "maxProperties": 0}, {"type": "null"}]}
        if ONE_OF in item.metadata:
            value = {"enum": [*item.metadata[ONE_OF], *([None] if item.default is None else [])]}
        if PATTERN in item.metadata:
            value = {**value, "pattern": item.metadata[PATTERN]}
        properties[key_of(item)] = {"description": said[item.name], **value}
        if item.default is MISSING and item.default_factory is MISSING:
            required.append(key_of(item))
    summary = str(kind.__doc__).partition("\n\n")[0]
    return {"description": _one_line(summary), "type": "object", "properties": properties, "required": required}


def _value(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == Json or (get_origin(kind) is None and not is_dataclass(kind)):
        return {}
    origin, inside = get_origin(kind), get_args(kind)
    if origin is types.UnionType:
        return {"anyOf": [_value(choice, definitions) for choice in inside]}
    if origin is Literal:
        return {"enum": list(inside)}
    if origin is tuple and inside[1:] != (...,):
        items = [_value(item, definitions) for item in inside]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin is tuple:
        return {"type": "array", "items": _value(inside[0], definitions)}
    if origin is not None:
        return {"type": "object", "additionalProperties": _value(inside[1], definitions)}
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = _object(kind, definitions)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _attributes(kind: type[Any]) -> dict[str, str]:
    """Return what a docstring's section `Attributes` says, by name."""
    section = str(kind.__doc__).partition("Attributes:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", section, flags=re.MULTILINE)
    return {name: _one_line(said) for name, said in entries}


def _one_line(said: str) -> str:
    return re.sub(r"\bNone\b", "null", " ".join(said.split()).replace("``", "`"))


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
