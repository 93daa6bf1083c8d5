"""How layers are connected: the inbound nodes of Keras 2, with the functions of TensorFlow that stand among layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeconv.conversion.keras.archive.tensorflow_functions import is_plain_function
from edgeconv.conversion.keras.legacy.untranslatable import Untranslatable

CONSTANT = "_CONSTANT_VALUE"
"""Stands in the place of a layer's name where a function's first argument is no tensor."""

Node = dict[str, Any] | list[Any]


def first_node_skipped(layers: list[dict[str, Any]], *outer: Any) -> frozenset[str]:
    """Return the layers whose nodes are counted from 1: nested models, which call themselves when they are made.

    Args:
        layers: configs of a functional model's layers, each with its `inbound_nodes`.
        outer: further references, such as the model's outputs.
    """
    highest: dict[str, int] = {}
    names = {str(layer["name"]) for layer in layers}

    def visit(value: Any) -> None:
        if is_reference(value, names):
            highest[value[0]] = max(highest.get(value[0], 0), value[1])
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for part in value:
                visit(part)

    visit([layer["inbound_nodes"] for layer in layers])
    visit(list(outer))
    counts = {str(layer["name"]): max(1, len(layer["inbound_nodes"])) for layer in layers}
    return frozenset(name for name, index in highest.items() if index == counts[name])


def is_reference(value: Any, names: Mapping[str, Any] | set[str]) -> bool:
    """Tell whether a value is ``[layer, node, tensor]``, with or without arguments behind."""
    return (
        isinstance(value, list)
        and len(value) in {3, 4}
        and isinstance(value[0], str)
        and value[0] in names
        and all(isinstance(index, int) for index in value[1:3])
    )


class Connections:
    """The references between the layers of one functional model, in the words of Keras 3.

    Args:
        layers: configs of the layers, as Keras 2 wrote them.
        renamed: new name by old one, of every layer.
        outer: the model's inputs and outputs.
    """

    def __init__(self, layers: list[dict[str, Any]], renamed: Mapping[str, str], *outer: Any) -> None:
        self._renamed = renamed
        self._skipped = first_node_skipped(layers, *outer)

    def reference(self, value: list[Any]) -> list[Any]:
        """Return ``[layer, node, tensor]``, the node counted from 0."""
        name, node, tensor = value[:3]
        return [self._renamed[name], node - (name in self._skipped), tensor]

    def references(self, value: Any) -> Any:
        """Return a structure of references, translated."""
        if is_reference(value, self._renamed):
            return self.reference(value)
        if isinstance(value, dict):
            return {key: self.references(part) for key, part in value.items()}
        return [self.references(part) for part in value]

    def inbound(self, layer: str, node: Any) -> Node:
        """Return a call of an ordinary layer: its tensors by reference, its keyword arguments plain."""
        nodes = [node] if is_reference(node, self._renamed) else node
        if not isinstance(nodes, list) or not all(is_reference(part, self._renamed) for part in nodes):
            raise Untranslatable(layer, "a call with nested arguments")
        calls = []
        for part in nodes:
            keywords = part[3] if len(part) == 4 else {}
            kept = {key: value for key, value in keywords.items() if value is not None and key != "training"}
            if kept:
                raise Untranslatable(layer, f"a call with the argument `{next(iter(kept))}`")
            calls.append([*self.reference(part), {}])
        return calls

    def function(self, layer: str, function: str, node: Any) -> tuple[dict[str, Any], Node]:
        """Return a function's arguments, tensors in them as ``{"tensor": index}``, and the call with these tensors."""
        if not is_plain_function(function):
            raise Untranslatable(layer, f"the function `{function}`")
        tensors: list[Any] = []

        def argument(value: Any) -> Any:
            if is_reference(value, self._renamed):
                tensors.append([*self.reference(value), {}])
                return {"tensor": len(tensors) - 1}
            if isinstance(value, dict) and "class_name" in value:
                return _plain_value(layer, value, argument)
            if isinstance(value, dict):
                return {key: argument(part) for key, part in value.items()}
            return [argument(part) for part in value] if isinstance(value, list) else value

        first, keywords = self._first_argument(node)
        arguments = {"first": argument(first), "keywords": argument(keywords)}
        arguments["keywords"].pop("name", None)
        return arguments, tensors

    def _first_argument(self, node: Any) -> tuple[Any, dict[str, Any]]:
        """Return the structure of a function's first argument, and its keyword arguments, which stand at each leaf."""
        if isinstance(node, list) and len(node) == 4 and node[0] == CONSTANT:
            return node[2], node[3]
        if is_reference(node, self._renamed):
            return node[:3], node[3] if len(node) == 4 else {}
        if isinstance(node, dict):
            parts = {key: self._first_argument(part) for key, part in node.items()}
            keywords = next((found for _, found in parts.values() if found), {})
            return {key: first for key, (first, _) in parts.items()}, keywords
        listed = [self._first_argument(part) for part in node]
        return [first for first, _ in listed], next((found for _, found in listed if found), {})


def _plain_value(layer: str, value: dict[str, Any], argument: Any) -> Any:
    kind = value["class_name"]
    if kind == "__tuple__":
        return [argument(part) for part in value["items"]]
    if kind == "__ellipsis__":
        return {"ellipsis": True}
    raise Untranslatable(layer, f"an argument of the class `{kind}`")
