"""The first node of a graph whose answers differ between two execution providers, by bisection.

Part after part of the graph is run on both, each with one value as its only output: what a provider computes wrong only
together with what follows, it is left to compute together. A branch that runs takes its node's place, so that the nodes
inside are named; a loop is named as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.explanation.comparing import compare_as_it_is
from edgeconv.conversion.explanation.tapping import TappedModel
from edgeconv.errors import InferenceError, one_line
from edgeconv.parity.comparison import Feeds

Run = Callable[[bytes, Sequence[str], Feeds], Mapping[str, NDArray[Any]]]
"""Runs the bytes of a model on a provider: these outputs, by name, of these inputs."""

TOLERANCE = 1e-3
"""Share of the spread of a value that two providers may differ by: they sum float32 in another order. Of integers one
step is allowed, which is what two ways of rounding differ by."""


@dataclass(frozen=True)
class ProviderDifference:
    """The first node whose answers differ.

    Attributes:
        node: its name; of a node without one that of its output.
        operator: what it is.
        problem: how far its answers lie apart, or why one of the providers fails.
    """

    node: str
    operator: str
    problem: str


def first_difference(file: bytes, feeds: Feeds, one: Run, other: Run) -> ProviderDifference | None:
    """Return the first node that two providers answer differently, or None where the model's outputs agree.

    Args:
        file: the bytes of an `.onnx` file.
        feeds: arrays by input.
        one: runs it on a provider.
        other: runs it on the other one.

    Example:
        >>> first_difference(Path("model.e2e.onnx").read_bytes(), feeds, webgpu, cpu).operator  # doctest: +SKIP
        'Loop'
    """
    model = onnx.load_from_string(file)
    while True:
        tapped = TappedModel(model, feeds)
        values = list(tapped.values)

        def problem(name: str, tapped: TappedModel = tapped) -> str:
            part = tapped.part([name])
            needed = {entry.name: feeds[entry.name] for entry in part.graph.input}
            try:
                found, right = (run(part.SerializeToString(), [name], needed)[name] for run in (one, other))
            except InferenceError as error:
                return one_line(error)
            return _apart(np.asarray(found), np.asarray(right))

        wrong = next((name for name in tapped.outputs if problem(name)), None)
        if wrong is None:
            return None
        bits = tapped.values[wrong].made_from
        places = [place for place in range(len(values)) if bits >> place & 1]
        # The first of them that is wrong: each is right before it, as far as a bisection can tell.
        low, high = 0, len(places)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if problem(values[places[middle]]) else (middle + 1, high)
        first = wrong if low == len(places) else values[places[low]]
        node = next(node for node in model.graph.node if first in node.output)
        if node.op_type != "If":
            return ProviderDifference(node.name or first, node.op_type, problem(first))
        model = _with_branch(model, node, bool(tapped.fetch([node.input[0]])[node.input[0]]))


def _apart(found: NDArray[Any], right: NDArray[Any]) -> str:
    """Say how far two arrays lie apart; an empty text where they are as good as equal."""
    if found.shape != right.shape:
        return f"shape {found.shape}, not {right.shape}"
    compared = compare_as_it_is(right, found)
    allowed = TOLERANCE * compared.spread if right.dtype.kind == "f" else float(right.dtype.kind in "iu")
    if compared.max_error <= max(allowed, TOLERANCE * 1e-6):
        return ""
    return f"off by {compared.max_error:.3g}, of a spread of {compared.spread:.3g}"


def _with_branch(model: onnx.ModelProto, chooser: onnx.NodeProto, holds: bool) -> onnx.ModelProto:
    """Return the model with the branch that runs in the place of its If."""
    inlined = onnx.ModelProto()
    inlined.CopyFrom(model)
    name = "then_branch" if holds else "else_branch"
    (branch,) = (attribute.g for attribute in chooser.attribute if attribute.name == name)
    moved = [*branch.node]
    for inner, outer in zip(branch.output, chooser.output, strict=True):
        moved.append(onnx.helper.make_node("Identity", [inner.name], [outer], name=f"{chooser.name}/{outer}"))
    nodes = [node for each in model.graph.node for node in (moved if each == chooser else [each])]
    del inlined.graph.node[:]
    inlined.graph.node.extend(nodes)
    inlined.graph.initializer.extend(branch.initializer)
    return inlined
