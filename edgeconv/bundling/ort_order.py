"""Equal bytes for equal models: what ONNX Runtime writes into an `.ort` file in another order each time, sorted.

An `.ort` file is a FlatBuffer, written back to front: its root comes first, then the table of operators ("kernel type
string resolver"), then the model. Two things come out of hash maps with random seeds: that table, which is written
again here, and the list of values that the branches of an `If` or `Loop` read from around it, which is sorted in place.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

_MODEL_FIELD = 1
"""Number of `model` among fields of the root (`InferenceSession` in onnxruntime/core/flatbuffers/schema/ort.fbs)."""

_OUTER_VALUES_FIELD = 12
"""Number of `implicit_inputs` among the fields of `Node`, in the same schema."""

_ALIGNMENT = 16
"""Bytes. Nothing in a FlatBuffer of ONNX Runtime is aligned to more."""


def in_order(data: bytes) -> bytes:
    """Return an `.ort` file with all that it lists in an order that depends on the model alone.

    Args:
        data: of a file that ONNX Runtime has just written.
    """
    return _with_sorted_operators(_with_sorted_outer_values(data))


def _with_sorted_operators(data: bytes) -> bytes:
    import flatbuffers
    import onnxruntime.tools.ort_format_model  # noqa: F401  # Puts the next one on the path.
    from ort_flatbuffers_py.fbs import InferenceSession as Root

    session = Root.InferenceSession.GetRootAs(bytearray(data))
    model = session.Model()._tab.Pos
    # A table's description lies right before it, or is shared with one that was written earlier and lies behind it.
    (back,) = struct.unpack_from("<i", data, model)
    kept = min(model, model - back)

    builder = flatbuffers.Builder(4096)
    version = builder.CreateString(session.OrtVersion())
    operators = _write_operators(builder, session.KernelTypeStrResolver())
    Root.Start(builder)
    Root.AddOrtVersion(builder, version)
    builder.PrependUint32Slot(_MODEL_FIELD, 1, 0)  # Where the model lies is known only when this part is written.
    Root.AddKernelTypeStrResolver(builder, operators)
    builder.Finish(Root.End(builder), file_identifier=b"ORTM")
    front = bytearray(builder.Output())
    front += bytes((kept - len(front)) % _ALIGNMENT)
    root = Root.InferenceSession.GetRootAs(front)._tab
    place = root.Pos + root.Offset(4 + 2 * _MODEL_FIELD)
    struct.pack_into("<I", front, place, len(front) + model - kept - place)
    return bytes(front) + data[kept:]


def _write_operators(builder: Any, resolver: Any) -> Any:
    from ort_flatbuffers_py.fbs import KernelTypeStrArgsEntry as Name
    from ort_flatbuffers_py.fbs import KernelTypeStrResolver as Resolver
    from ort_flatbuffers_py.fbs import OpIdKernelTypeStrArgsEntry as Operator

    written = []
    operators = (resolver.OpKernelTypeStrArgs(i) for i in range(resolver.OpKernelTypeStrArgsLength()))
    for operator in sorted(operators, key=lambda operator: operator.OpId()):
        names = (operator.KernelTypeStrArgs(i) for i in range(operator.KernelTypeStrArgsLength()))
        entries = []
        for name in sorted(names, key=lambda name: name.KernelTypeStr()):
            arguments = [_write_argument(builder, name.Args(i)) for i in range(name.ArgsLength())]
            arguments = _write_list(builder, Name.StartArgsVector, arguments)
            text = builder.CreateString(name.KernelTypeStr())
            Name.Start(builder)
            Name.AddKernelTypeStr(builder, text)
            Name.AddArgs(builder, arguments)
            entries.append(Name.End(builder))
        listed = _write_list(builder, Operator.StartKernelTypeStrArgsVector, entries)
        identifier = builder.CreateString(operator.OpId())
        Operator.Start(builder)
        Operator.AddOpId(builder, identifier)
        Operator.AddKernelTypeStrArgs(builder, listed)
        written.append(Operator.End(builder))
    listed = _write_list(builder, Resolver.StartOpKernelTypeStrArgsVector, written)
    Resolver.Start(builder)
    Resolver.AddOpKernelTypeStrArgs(builder, listed)
    return Resolver.End(builder)


def _write_argument(builder: Any, argument: Any) -> Any:
    from ort_flatbuffers_py.fbs import ArgTypeAndIndex as Argument

    Argument.Start(builder)
    Argument.AddArgType(builder, argument.ArgType())
    Argument.AddIndex(builder, argument.Index())
    return Argument.End(builder)


def _write_list(builder: Any, start: Any, offsets: Iterable[Any]) -> Any:
    offsets = list(offsets)
    start(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _with_sorted_outer_values(data: bytes) -> bytes:
    import onnxruntime.tools.ort_format_model  # noqa: F401
    from ort_flatbuffers_py.fbs import InferenceSession as Root

    buffer = bytearray(data)
    _sort_outer_values(Root.InferenceSession.GetRootAs(buffer).Model().Graph(), buffer)
    return bytes(buffer)


def _sort_outer_values(graph: Any, buffer: bytearray) -> None:
    """Sort the outer values of each node by name, and turn the ends of edges that count among them with them."""
    turned = {}
    for node in (graph.Nodes(i) for i in range(graph.NodesLength())):
        for attribute in (node.Attributes(i) for i in range(node.AttributesLength())):
            for inner in (attribute.G(), *(attribute.Graphs(i) for i in range(attribute.GraphsLength()))):
                if inner is not None:
                    _sort_outer_values(inner, buffer)
        count = node.ImplicitInputsLength()
        if count > 1:
            names = [node.ImplicitInputs(i) for i in range(count)]
            order = sorted(range(count), key=names.__getitem__)
            _reorder_strings(node._tab, order, buffer)
            first = node.InputsLength()
            turned[node.Index()] = {first + old: first + new for new, old in enumerate(order)}
    for edges in (graph.NodeEdges(i) for i in range(graph.NodeEdgesLength())):
        here = edges.NodeIndex()
        ends = [edges.InputEdges(i) for i in range(edges.InputEdgesLength())]
        _rewrite_ends(ends, [here] * len(ends), turned, buffer)
        ends = [edges.OutputEdges(i) for i in range(edges.OutputEdgesLength())]
        _rewrite_ends(ends, [end.NodeIndex() for end in ends], turned, buffer)


def _reorder_strings(node: Any, order: list[int], buffer: bytearray) -> None:
    start = node.Vector(node.Offset(4 + 2 * _OUTER_VALUES_FIELD))
    slots = [start + 4 * number for number in range(len(order))]
    strings = [slot + struct.unpack_from("<I", buffer, slot)[0] for slot in slots]
    for slot, number in zip(slots, order, strict=True):
        struct.pack_into("<I", buffer, slot, strings[number] - slot)


def _rewrite_ends(ends: list[Any], readers: list[int], turned: dict[int, dict[int, int]], buffer: bytearray) -> None:
    """Write the ends of edges again, in ascending order: other node, its output, and the input of the reader."""
    rows = sorted(
        (end.NodeIndex(), end.SrcArgIndex(), turned.get(reader, {}).get(end.DstArgIndex(), end.DstArgIndex()))
        for end, reader in zip(ends, readers, strict=True)
    )
    for end, row in zip(ends, rows, strict=True):
        struct.pack_into("<Iii", buffer, end._tab.Pos, *row)
