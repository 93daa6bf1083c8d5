"""A limit to tf2onnx's search for the cheapest order of an Einsum's letters.

tf2onnx writes an Einsum as MatMul, Transpose and Reshape, and tries every permutation of its letters for the cheapest:
120 for the five letters of an ordinary attention, 5040 for the seven of `MultiHeadAttention(attention_axes=(1, 2))`,
which takes a minute and more. Here it tries the first 120; each of them is right.

Upstream: https://github.com/onnx/tensorflow-onnx, `EinsumOptimizer`, no issue yet.
Goes when tf2onnx limits the search itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice, permutations
from typing import Any

from edgeconv.conversion.tracing.patches.replacing import replaced

MOST_ORDERS = 120
"""All orders of five letters."""


@contextmanager
def few_orders_tried() -> Iterator[None]:
    """Limit the permutations that tf2onnx's optimizer goes through while the block runs."""
    from tf2onnx.optimizer import einsum_optimizer

    def first_permutations(letters: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        return islice(permutations(letters), MOST_ORDERS)

    with replaced(einsum_optimizer, "permutations", first_permutations):
        yield
