"""One order of the nodes for one graph, whatever order they came in: tf2onnx's depends on the hash seed."""

from __future__ import annotations

import onnx_ir as ir


def order_nodes(model: ir.Model) -> None:
    """Put each node right behind what it reads, following the outputs up, first inputs first."""
    for graph in model.graphs():
        ordered: dict[ir.Node, None] = {}
        for output in graph.outputs:
            _visit(output.producer(), graph, ordered)
        for node in list(graph):  # What no output needs, in a graph that was not rid of it.
            _visit(node, graph, ordered)
        for node in ordered:
            graph.remove(node)
            graph.append(node)


def _visit(start: ir.Node | None, graph: ir.Graph, ordered: dict[ir.Node, None]) -> None:
    stack = [start] if start is not None else []
    while stack:
        node = stack[-1]
        waiting = [] if node in ordered else [found for found in read_by(node, graph) if found not in ordered]
        if waiting:
            stack.append(waiting[0])
        else:
            ordered[node] = None
            stack.pop()


def read_by(node: ir.Node, graph: ir.Graph) -> list[ir.Node]:
    """Return the nodes of a graph that a node reads, itself or within the graphs inside it."""
    values = list(node.inputs)
    for inner in _graphs_in(node):
        values += [value for part in ir.traversal.RecursiveGraphIterator(inner) for value in part.inputs]
        values += list(inner.outputs)
    producers = (value.producer() for value in values if value is not None)
    return [producer for producer in producers if producer is not None and producer.graph is graph]


def _graphs_in(node: ir.Node) -> list[ir.Graph]:
    single = [item.value for item in node.attributes.values() if item.type == ir.AttributeType.GRAPH]
    return single + [
        graph for item in node.attributes.values() if item.type == ir.AttributeType.GRAPHS for graph in item.value
    ]
