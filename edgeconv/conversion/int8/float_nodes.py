"""What stays in float, and why: what the target has no int8 for, what decodes the answers, and what was chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.conversion.int8.gelu import REASON as GELU
from edgeconv.conversion.int8.gelu import gelus_in
from edgeconv.conversion.int8.tail import REASON as TAIL
from edgeconv.conversion.int8.tail import tail_of
from edgeconv.conversion.int8.targets import END_OPERATORS, FLOAT_OPERATORS, QuantizationScheme
from edgeconv.errors import ConfigError
from edgeconv.manifest_blocks import FloatNode

if TYPE_CHECKING:
    from edgeconv.conversion.int8.quantizing import Prepared

_CHOSEN = "left in float to keep accuracy"
_SCALED = "pixels are scaled exactly, and quantized once, behind it"


def float_nodes_of(
    prepared: Prepared, scheme: QuantizationScheme, float_layers: Collection[str] | Mapping[str, str]
) -> tuple[FloatNode, ...]:
    """Return the nodes that stay in float: what scales the pixels, what the target has no int8 for, what was chosen."""
    graph = prepared.model.graph
    chosen = dict(float_layers) if isinstance(float_layers, Mapping) else dict.fromkeys(float_layers, _CHOSEN)
    unknown = set(chosen) - {name for node in graph.node for name in (node.name, layer_of_named(node.name))}
    if unknown:
        raise ConfigError(
            f"`float_layers` must name layers of the model. Received: {', '.join(sorted(unknown))}. It has "
            f"{', '.join(prepared.layers)}."
        )
    found, ends, tail, gelus = [], {output.name for output in graph.output}, tail_of(graph), gelus_in(graph)
    for node in graph.node:
        at_the_end = node.op_type in END_OPERATORS and node.output[0] in ends
        reasons = (
            _SCALED if node.name in prepared.path.scaling else None,
            END_OPERATORS[node.op_type] if at_the_end else None,
            scheme.float_operators.get(node.op_type),
            FLOAT_OPERATORS.get(node.op_type),
            TAIL if node.name in tail else None,
            GELU if node.name in gelus and not scheme.between_pairs else None,
            chosen.get(node.name) or chosen.get(layer_of_named(node.name) or ""),
        )
        reason = next((text for text in reasons if text), None)
        if reason:
            found.append(FloatNode(node.name, node.op_type, reason))
    return tuple(found)
