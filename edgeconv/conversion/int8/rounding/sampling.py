"""Rows of the inputs of a layer, drawn from calibration samples, a batch in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import helper

from edgeconv.conversion.int8.rounding.reconstruction import SPAN
from edgeconv.conversion.int8.rounding.rows import Layout, Rows
from edgeconv.conversion.int8.search.subgraph import open_subgraph, subgraph
from edgeconv.parity.comparison import Feeds

ROWS = 4096
"""Rows of a layer's inputs that its rounding looks at, `SPAN` of each sample: many samples tell more than many rows."""

VALUES_HELD = 2**24
"""Values of a layer's rows in memory, 64 MB: of very wide layers fewer rows are looked at."""


def sample_rows(model: onnx.ModelProto, layout: Layout, value: str, batches: Iterable[Feeds], seed: int) -> Rows:
    """Return rows of a value that a layer reads.

    Args:
        model: float or QDQ; no more of it is run than the value depends on.
        layout: of the layer.
        value: its name.
        batches: calibration samples, a batch at a time; no more are taken than there are rows wanted.
        seed: equal seeds draw the same places of the same samples.
    """
    generator, found, count = np.random.default_rng(seed), [], 0
    most = max(1, min(ROWS, VALUES_HELD // (layout.groups * layout.width)))
    part = subgraph(model, [value])
    # Behind an Identity, since a layer may read the input itself, which a session does not give back.
    part.graph.node.append(helper.make_node("Identity", [value], ["rows"]))
    part.graph.output.append(onnx.ValueInfoProto(name="rows"))
    run = open_subgraph(part)
    for feeds in batches:
        (inputs,) = run(feeds)
        found.append(layout.draw(inputs, SPAN, generator)[:, : most - count])
        count += found[-1].shape[1]
        if count == most:
            break
    return np.concatenate(found, axis=1)
