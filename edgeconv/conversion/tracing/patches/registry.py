"""All rewrites, by the step of the conversion that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeconv.conversion.tracing.patches import activations, counting, raw_resizing, resizing, spectra
from edgeconv.conversion.tracing.patches.adaptive_pooling import pooled_at_once
from edgeconv.conversion.tracing.patches.aspect_ratio import aspect_ratios_counted
from edgeconv.conversion.tracing.patches.constants import constants_written_once
from edgeconv.conversion.tracing.patches.convolutions import groups_counted, outputs_padded
from edgeconv.conversion.tracing.patches.data_layers import cast_as_in_graphs
from edgeconv.conversion.tracing.patches.einsum import few_orders_tried
from edgeconv.conversion.tracing.patches.gated_recurrence import biases_read_once
from edgeconv.conversion.tracing.patches.handler import Handlers
from edgeconv.conversion.tracing.patches.lookup import lookups_by_comparison
from edgeconv.conversion.tracing.patches.recurrence import without_cudnn
from edgeconv.conversion.tracing.patches.signs import signs_by_comparison
from edgeconv.conversion.tracing.patches.time_distribution import steps_as_rows
from edgeconv.conversion.tracing.patches.up_sampling import unknown_sizes_taken


@contextmanager
def while_answered(model: Any) -> Iterator[None]:
    """Let Keras answer on arrays, on any machine, as it does in graphs, while the block calls a model."""
    with without_cudnn(model), cast_as_in_graphs(), pooled_at_once():
        yield


@contextmanager
def while_traced(model: Any) -> Iterator[None]:
    """Apply the rewrites of Keras while the block calls a model."""
    with (
        without_cudnn(model),
        aspect_ratios_counted(),
        biases_read_once(),
        counting.counted_by_one_hot(),
        lookups_by_comparison(),
        pooled_at_once(),
        resizing.resizing_by_matrices(),
        signs_by_comparison(),
        steps_as_rows(),
        unknown_sizes_taken(),
    ):
        yield


@contextmanager
def while_converted() -> Iterator[Handlers]:
    """Apply the rewrites of tf2onnx while the block converts; yield our handlers, which are forgotten afterwards."""
    from tf2onnx.handler import tf_op

    registered = tf_op._OPSETS.copy()
    with constants_written_once(), few_orders_tried(), groups_counted(), outputs_padded():
        try:
            parts = (activations, counting, raw_resizing, resizing, spectra)
            yield {kind: handler for part in parts for kind, handler in part.handlers().items()}
        finally:
            tf_op._OPSETS.clear()
            tf_op._OPSETS.update(registered)
            tf_op._MAPPING = tf_op._DOMAIN_MAPPING = None
