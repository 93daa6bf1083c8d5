"""Nodes that return what they read.

Not onnx-ir's `IdentityEliminationPass` (seen in 1.1): where a branch of an If returns a value from outside, it makes
that value the branch's own output, which no checker takes, and it gives two outputs of one value the same name.
"""

from __future__ import annotations

import onnx_ir as ir

from edgeconv.conversion.graph.editing import attribute, drop, nodes_of


def drop_identities(model: ir.Model) -> int:
    """Take out what changes nothing; return how many went.

    Cases: Identity, and Cast to the type that a value has. Only in the outer graph: the graphs inside a node must make
    what they return themselves, and an Identity may be all that they do.
    """
    gone = 0
    for node in nodes_of(model, "Identity", "Cast"):
        source = node.inputs[0]
        same = node.op_type == "Identity" or (source is not None and source.dtype == attribute(node, "to", None))
        if source is not None and same:
            gone += drop(model, node, source)
    return gone


def settle_identities_in_bodies(model: ir.Model) -> int:
    """Leave the graphs inside nodes, the body of a Loop for instance, no more Identity nodes than they need.

    A body that returns a value twice needs one, and so does one that returns what is outside it. tf2onnx makes a copy
    of the first of two equal results, or of the second, or none, as the hash seed has it: here it is the second.

    Returns:
        How many were put in and taken out.
    """
    changed = 0
    for graph in model.graphs():
        if graph is model.graph:
            continue
        made: set[ir.Value] = set()
        for place, output in enumerate(list(graph.outputs)):
            source = _source(output, graph)
            if source.graph is not graph or source in made:
                copy = ir.node("Identity", [source])
                copy.outputs[0].type, copy.outputs[0].shape = output.type, output.shape
                graph.append(copy)
                changed += 1
                source = copy.outputs[0]
            elif source is not output:
                source.type, source.shape = source.type or output.type, source.shape or output.shape
            graph.outputs[place] = source
            made.add(source)
        for node in list(graph):
            if node.op_type == "Identity" and node.domain == "" and not node.outputs[0].is_graph_output():
                ir.convenience.replace_all_uses_with(node.outputs[0], _source(node.outputs[0], graph))
                graph.remove(node, safe=True)
                changed += 1
    return changed


def _source(value: ir.Value, graph: ir.Graph) -> ir.Value:
    """Return what a value is a copy of, within its graph or from outside."""
    node = value.producer()
    while node is not None and node.graph is graph and node.op_type == "Identity" and node.inputs[0] is not None:
        value = node.inputs[0]
        node = value.producer()
    return value
