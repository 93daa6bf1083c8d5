"""Sampled rows of what a layer reads, times its weights, are what the layer gives there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.int8.rounding.rows import Layout
from tests.conversion.graph.rewriting import answers, graph_of, node, random

ALL = 10**6


def _products(layer: Any, weights: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what rows and weights give, and what ONNX Runtime's layer gives; (values,), sorted."""
    model = graph_of([layer], {"w": weights}, {"x": inputs.shape})
    (expected,) = answers(model, {"x": inputs})
    layout = Layout(layer, weights.shape)
    rows = layout.draw(inputs, ALL, np.random.default_rng(0))
    products = rows @ layout.as_rows(weights).transpose(0, 2, 1)
    np.testing.assert_array_equal(layout.as_stored(layout.as_rows(weights)), weights)
    return np.sort(products.ravel()), np.sort(expected.ravel())


@pytest.mark.parametrize(
    ("shape", "size", "options"),
    [
        ((6, 4, 3, 3), (7, 8), {}),
        ((6, 4, 3, 3), (7, 8), {"strides": [2, 1], "pads": [1, 0, 2, 1]}),
        ((6, 2, 3, 2), (7, 8), {"group": 2, "dilations": [2, 3], "pads": [1, 1, 1, 1]}),
        ((4, 1, 3, 3), (7, 8), {"group": 4, "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        ((4, 1, 2, 4), (7, 8), {"group": 4, "auto_pad": "SAME_LOWER"}),
        ((6, 4, 3, 3), (7, 8), {"auto_pad": "VALID"}),
        ((6, 4, 5), (9,), {"strides": [2], "pads": [2, 1]}),
        ((3, 4, 2, 2, 3), (4, 5, 4), {"pads": [0, 1, 0, 1, 0, 1]}),
    ],
)
def test_rows_of_a_convolution(shape: tuple[int, ...], size: tuple[int, ...], options: dict[str, Any]) -> None:
    inputs = random(2, 4, *size)
    found, expected = _products(node("Conv", ["x", "w"], ["y"], "conv", **options), random(*shape), inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("operator", "shape", "size", "options"),
    [
        ("Gemm", (5, 3), (4, 5), {}),
        ("Gemm", (3, 5), (4, 5), {"transB": 1}),
        ("MatMul", (5, 3), (4, 5), {}),
        ("MatMul", (5, 3), (2, 6, 7, 5), {}),
    ],
)
def test_rows_of_a_product(operator: str, shape: tuple[int, int], size: tuple[int, ...], options: Any) -> None:
    found, expected = _products(node(operator, ["x", "w"], ["y"], "dense", **options), random(*shape), random(*size))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_equal_seeds_draw_the_same_places_of_other_values() -> None:
    layout = Layout(node("Conv", ["x", "w"], ["y"], "conv", pads=[1, 1, 1, 1]), (6, 4, 3, 3))
    inputs = random(5, 4, 7, 8)
    one, other = (layout.draw(values, 3, np.random.default_rng(8)) for values in (inputs, inputs * 2))
    np.testing.assert_array_equal(2 * one, other)
    assert one.shape == (1, 15, 36)
    assert not np.array_equal(one, layout.draw(inputs, 3, np.random.default_rng(9)))
