"""The arithmetic behind the last layers with weights: what decodes the answers computes in float.

In int8 a detector's boxes would lie on a grid of 255 lines, and its scores on one of 1/255.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx

ARITHMETIC = {"Add", "Div", "Exp", "Mul", "Sigmoid", "Sub", "Tanh"}
"""What heads do to the outputs of their layers, number by number."""

MOVES = {"Concat", "Flatten", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"}
"""What computes nothing: in float behind arithmetic, else as its input is."""

REASON = "the answer comes out of it, which 256 steps would make coarse"


def tail_of(graph: onnx.GraphProto) -> set[str]:
    """Return the names of the nodes from which on there is nothing but arithmetic up to the outputs."""
    readers: dict[str, list[str]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node.name)
    outputs, last = {output.name for output in graph.output}, set[str]()
    for node in reversed(graph.node):
        if node.op_type in ARITHMETIC | MOVES and _leads_out(node.output, readers, outputs, last):
            last.add(node.name)
    computed, tail = set[str](), set[str]()
    for node in graph.node:
        if node.name in last and (node.op_type in ARITHMETIC or computed & set(node.input)):
            computed |= set(node.output)
            tail.add(node.name)
    return tail


def _leads_out(values: Iterable[str], readers: dict[str, list[str]], outputs: set[str], last: set[str]) -> bool:
    """Tell whether all that reads some values leads to the outputs alone."""
    return all((name in outputs or name in readers) and set(readers.get(name, ())) <= last for name in values)
