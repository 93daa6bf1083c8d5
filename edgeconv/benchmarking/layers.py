"""Which Keras layer a kernel belongs to, whatever ONNX Runtime made of its node.

An exported node is called ``layer/Operator``, and its outputs ``layer/Operator:0``. ONNX Runtime keeps these names
when it fuses or re-lays nodes, with something added: ``fused dense/Gemm``, ``conv1/Conv_token_1``, and after the last
output of what was fused, ``conv1_relu/Relu:0_nchwc`` for a convolution with the activation behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from edgeconv.benchmarking.events import Kernel

NO_LAYER = "(added by ONNX Runtime)"
"""Kernels that stand for no node of the file: changes of layout."""

_SAME = {
    "FusedConv": "Conv",
    "QLinearConv": "Conv",
    "FusedGemm": "Gemm",
    "QGemm": "Gemm",
    "FusedMatMul": "MatMul",
    "QLinearMatMul": "MatMul",
    "MatMulIntegerToFloat": "MatMul",
    "NhwcMaxPool": "MaxPool",
    "QLinearAdd": "Add",
    "QLinearMul": "Mul",
    "QLinearGlobalAveragePool": "GlobalAveragePool",
    "QLinearAveragePool": "AveragePool",
    "QLinearConcat": "Concat",
    "QLinearSoftmax": "Softmax",
    "QLinearSigmoid": "Sigmoid",
    "QLinearLeakyRelu": "LeakyRelu",
}
"""Operators of ONNX Runtime's own, each with the operator of the file that it stands for."""


def layer_of_node(name: str) -> str | None:
    """Return the layer of a node of the file, or None.

    Example:
        >>> layer_of_node("base/conv1/Conv")
        'base/conv1'
    """
    return name.rpartition("/")[0] or None


def layers_of(kernels: Sequence[Kernel], plain: Sequence[Kernel]) -> list[str]:
    """Return the layer of each kernel of an optimised graph.

    Cases: a name says the layer, unless the kernel is an operator that this layer has none of. Then it was named after
    what was fused into it, and belongs to the layer of such an operator that ran before, that no other kernel claims,
    and whose weights have the same size; else to the last of these.

    Args:
        kernels: those that ran.
        plain: those that run when nothing is optimised: the nodes of the file, in their order.
    """
    known = sorted({layer for node in plain if (layer := layer_of_node(node.name))}, key=len, reverse=True)
    operators: dict[str, set[str]] = {}
    for node in plain:
        operators.setdefault(layer_of_node(node.name) or "", set()).add(_operator(node))
    named = [_named(kernel.name, known) for kernel in kernels]
    claimed = {layer for layer, kernel in zip(named, kernels, strict=True) if layer and _has(operators, layer, kernel)}
    found = []
    for layer, kernel in zip(named, kernels, strict=True):
        if layer is not None and not _has(operators, layer, kernel):
            before = [other for other in _before(layer, plain, _operator(kernel)) if other[0] not in claimed]
            same = [other for other in before if other[1] == kernel.parameter_bytes]
            layer = (same or before or [(layer, 0)])[-1][0]
            claimed.add(layer)
        found.append(layer or NO_LAYER)
    return found


def _operator(kernel: Kernel) -> str:
    return _SAME.get(kernel.operator, kernel.operator)


def _has(operators: Mapping[str, set[str]], layer: str, kernel: Kernel) -> bool:
    """Tell whether a layer has a kernel's operator; what the file has in no layer tells nothing."""
    wanted = _operator(kernel)
    return wanted in operators[layer] or not any(wanted in found for found in operators.values())


def _named(name: str, known: Sequence[str]) -> str | None:
    """Return the longest layer that a name speaks of, at its begin or behind a space."""
    return next((layer for layer in known if name.startswith(f"{layer}/") or f" {layer}/" in name), None)


def _before(layer: str, plain: Sequence[Kernel], operator: str) -> Iterator[tuple[str, int]]:
    """Yield layer and size of weights of the nodes with an operator that run before a layer is through."""
    last = max(place for place, node in enumerate(plain) if layer_of_node(node.name) == layer)
    for node in plain[: last + 1]:
        found = layer_of_node(node.name)
        if _operator(node) == operator and found is not None:
            yield found, node.parameter_bytes
