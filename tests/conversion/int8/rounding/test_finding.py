"""Layers rounded one after the other: nearer to float, on the very scales that there were."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.cache import Cache
from edgeconv.conversion.int8.measuring import measure
from edgeconv.conversion.int8.quantizing import Prepared, prepare, quantize
from edgeconv.conversion.int8.ranges import ranges_of
from edgeconv.conversion.int8.rounding.finding import find_roundings, with_roundings
from edgeconv.conversion.int8.rounding.grid import Grid
from edgeconv.conversion.int8.search.bias_correction import with_biases
from edgeconv.conversion.int8.targets import QuantizationScheme, scheme_of
from edgeconv.parity.comparison import Feeds
from tests.conversion.graph.rewriting import answers, constants_of, graph_of, node, random
from tests.conversion.int8.networks import stream

NOWHERE = Cache(None, "")
X86, AVX2 = scheme_of("x86"), scheme_of("x86-avx2")
COARSE = replace(AVX2, per_channel=False)


@cache
def _images() -> np.ndarray:
    """Return pictures whose pixels have much in common with their neighbours."""
    generator = np.random.default_rng(5)
    coarse = generator.normal(size=(400, 3, 3, 3))
    return (coarse.repeat(3, axis=2).repeat(3, axis=3) + 0.2 * generator.normal(size=(400, 3, 9, 9))).astype(np.float32)


@cache
def _prepared() -> Prepared:
    """Return Conv -> Relu -> depthwise Conv -> Relu -> Conv of no bias -> Flatten -> MatMul."""
    nodes = [
        node("Conv", ["image", "k1", "c1"], ["a"], "one/Conv"),
        node("Relu", ["a"], ["b"], "one/Relu"),
        node("Conv", ["b", "k2", "c2"], ["d"], "two/Conv", group=8),
        node("Relu", ["d"], ["e"], "two/Relu"),
        node("Conv", ["e", "k3"], ["f"], "three/Conv", strides=[2, 2]),
        node("Transpose", ["f"], ["g"], "four/Transpose", perm=[0, 2, 3, 1]),
        node("MatMul", ["g", "k4"], ["y"], "four/MatMul"),
    ]
    constants = {"k1": random(8, 3, 3, 3), "c1": random(8), "k2": random(8, 1, 3, 3), "c2": random(8)}
    constants |= {"k3": random(6, 8, 2, 2), "k4": random(6, 5)}
    return prepare(graph_of(nodes, constants, {"image": ["batch", 3, 9, 9]}))


def _batches() -> list[Feeds]:
    return [{"image": _images()[start : start + 50]} for start in range(0, 300, 50)]


def _both(scheme: QuantizationScheme) -> tuple[Prepared, Any]:
    biased = replace(_prepared(), model=with_biases(_prepared().model))
    return biased, quantize(biased, _ranges(), scheme).model


@cache
def _ranges() -> Any:
    found = measure(_prepared(), stream(_images()[:300]), histograms=False)
    return ranges_of(found, "minmax", X86)


def _error(model: onnx.ModelProto) -> float:
    unseen = {"image": _images()[300:]}
    (expected,), (found,) = answers(_prepared().model, unseen), answers(model, unseen)
    return float(((found - expected) ** 2).mean())


@pytest.mark.parametrize("scheme", [AVX2, COARSE], ids=["per channel", "per tensor"])
def test_answers_come_nearer_and_scales_stay(scheme: QuantizationScheme) -> None:
    biased, int8 = _both(scheme)
    kept = int8.SerializeToString()
    roundings = find_roundings(biased.model, int8, _batches, store=NOWHERE)
    assert set(roundings) == {"one/Conv", "two/Conv", "three/Conv", "four/MatMul"}
    assert int8.SerializeToString() == kept, "the model that was given must stay as it is"
    rounded = quantize(replace(biased, model=with_roundings(biased.model, roundings)), _ranges(), scheme).model
    assert _error(rounded) < 0.8 * _error(int8)
    before, after = _scales(int8), _scales(rounded)
    for name in roundings:
        np.testing.assert_array_equal(before[name], after[name])
        steps = constants_of(rounded)[_weight(rounded, name)].astype(np.float64)
        exact = roundings[name][1] / after[name].reshape([-1 if size > 1 else 1 for size in _shape(rounded, name)])
        assert np.abs(steps - exact).max() < 1e-4, "weights lie on the grid: the quantizer rounds none of them"


def _layer(model: onnx.ModelProto, name: str) -> tuple[Any, Any]:
    layer = next(item for item in model.graph.node if item.name == name)
    return layer, next(item for item in model.graph.node if item.output[0] == layer.input[1])


def _weight(model: onnx.ModelProto, name: str) -> str:
    return str(_layer(model, name)[1].input[0])


def _scales(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    names = ("one/Conv", "two/Conv", "three/Conv", "four/MatMul")
    return {name: constants_of(model)[_layer(model, name)[1].input[1]] for name in names}


def _shape(model: onnx.ModelProto, name: str) -> list[int]:
    """Return the shape that a scale must have to divide a layer's weights."""
    weights, scale = constants_of(model)[_weight(model, name)], _scales(model)[name]
    axis = 1 if name.endswith("MatMul") else 0
    return [scale.size if place == axis else 1 for place in range(weights.ndim)]


def test_a_float_layer_is_not_rounded() -> None:
    biased, _ = _both(X86)
    int8 = quantize(biased, _ranges(), X86, float_layers=["two"]).model
    assert "two/Conv" not in find_roundings(biased.model, int8, _batches, store=NOWHERE)


def test_weights_that_two_layers_read_are_left_alone() -> None:
    nodes = [node("MatMul", ["image", "w"], ["a"], "one/MatMul"), node("MatMul", ["a", "w"], ["y"], "two/MatMul")]
    prepared = prepare(graph_of(nodes, {"w": random(6, 6)}, {"image": ["batch", 6]}))
    rows = random(200, 6)
    ranges = ranges_of(measure(prepared, stream(rows), histograms=False), "minmax", X86)
    int8 = quantize(prepared, ranges, X86).model
    assert find_roundings(prepared.model, int8, lambda: [{"image": rows}], store=NOWHERE) == {}


@pytest.mark.parametrize("killed_after", [1, 2])
def test_an_interrupted_run_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_after: int
) -> None:
    monkeypatch.setattr("edgeconv.conversion.int8.rounding.finding.STORE_EVERY_S", -1.0)
    biased, int8 = _both(X86)
    expected = find_roundings(biased.model, int8, _batches, store=NOWHERE)
    store, calls = Cache(tmp_path, "k" * 64), []

    def batches() -> list[Feeds]:
        calls.append(1)
        if len(calls) > 2 * killed_after:
            raise KeyboardInterrupt
        return _batches()

    with pytest.raises(KeyboardInterrupt):
        find_roundings(biased.model, int8, batches, store=store)
    again: list[int] = []
    found = find_roundings(biased.model, int8, lambda: again.append(1) or _batches(), store=store)
    assert len(again) == 2 * (len(expected) - killed_after), "both models are run for the layers that were missing"
    for name, constants in expected.items():
        for place, array in constants.items():
            np.testing.assert_array_equal(found[name][place], array)


def test_the_largest_weight_keeps_its_scale_to_the_bit() -> None:
    generator = np.random.default_rng(0)
    weights = generator.normal(size=(2000, 5)).astype(np.float32)
    largest = np.abs(weights).max(axis=1, keepdims=True)
    grid = Grid(weights, (2 * largest.astype(np.float64) / 254).astype(np.float32))
    everywhere = np.full(weights.shape, 127.0)
    values = grid.as_float(everywhere)
    np.testing.assert_array_equal(np.abs(values).max(axis=1, keepdims=True), largest)
    np.testing.assert_array_equal(np.abs(np.rint(values / grid.scale)), everywhere)
    assert grid.highest == 127.0
    free = np.isnan(grid.pinned)
    assert (free.sum(axis=1) == 4).all()
