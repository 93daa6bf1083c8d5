"""The part of a model that some of its values depend on, to run no more than it takes to see them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from edgeconv.conversion.int8.search.weights import reads
from edgeconv.parity.comparison import Feeds
from edgeconv.runtime.cores import usable_cores
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import native_options, open_with


def subgraph(model: onnx.ModelProto, values: Collection[str]) -> onnx.ModelProto:
    """Return what some values depend on: nodes, inputs and constants, without an output yet."""
    wanted = set(values)
    kept = []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(reads(node))
    graph = onnx.GraphProto(name="part")
    graph.node.extend(reversed(kept))
    graph.input.extend(entry for entry in model.graph.input if entry.name in wanted)
    graph.initializer.extend(tensor for tensor in model.graph.initializer if tensor.name in wanted)
    return onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, graph=graph)


def open_subgraph(model: onnx.ModelProto) -> Callable[[Feeds], list[Any]]:
    """Return a function that runs a part on calibration feeds, which may have more names and other floats.

    It runs on the CPU with all its threads, and gives up each value when its last reader ran.
    """
    options = native_options(usable_cores())
    # The default order puts what nothing else reads at the end, and would keep all tensors until they are measured.
    options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
    session = open_with(options, model.SerializeToString(), CPU)
    floats = {put.name: put.type == "tensor(float)" for put in session.get_inputs()}

    def run(feeds: Feeds) -> list[Any]:
        given = {name: feeds[name].astype(np.float32) if is_float else feeds[name] for name, is_float in floats.items()}
        return list(session.run(None, given))

    return run
