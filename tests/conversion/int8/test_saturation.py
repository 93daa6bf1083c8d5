from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")

from edgeconv.conversion.int8.measuring import measure  # noqa: E402
from edgeconv.conversion.int8.quantizing import prepare, quantize  # noqa: E402
from edgeconv.conversion.int8.ranges import ranges_of  # noqa: E402
from edgeconv.conversion.int8.targets import TARGETS  # noqa: E402
from edgeconv.runtime.processor import int8_overflows  # noqa: E402
from tests.conversion.graph.graphs import UINT8, model_of, node  # noqa: E402
from tests.conversion.int8.networks import answer, stream  # noqa: E402


def _extreme() -> Any:
    """Return a Conv and a Gemm of large weights on bright pixels: 255 * 127 twice does not fit in 16 bits."""
    rng = np.random.default_rng(0)
    kernel = rng.choice([0.9, 1.0], size=(8, 4, 3, 3)).astype(np.float32) / 255
    kernel[::2] *= -1
    constants = {"k": kernel, "w": rng.choice([0.9, 1.0], size=(128, 4)).astype(np.float32), "t": np.array([-1, 128])}
    nodes = [
        node("Cast", ["image"], ["x"], to=1, name="in/Cast"),
        node("Conv", ["x", "k"], ["c"], name="conv/Conv"),
        node("Reshape", ["c", "t"], ["flat"], name="flat/Reshape"),
        node("Gemm", ["flat", "w"], ["probabilities"], name="dense/Gemm"),
    ]
    return model_of(nodes, constants, ("batch", 4, 6, 6), ("batch", 4), UINT8)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(1).integers(230, 256, (20, 4, 6, 6), dtype=np.uint8)


def _error(images: np.ndarray, target: str, *, exact: bool) -> float:
    """Return the largest error of the convolution, as a part of the answers' spread."""
    fp32 = _extreme()
    # The convolution's own output: its positive and negative channels would cancel out behind.
    fp32.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("c", 1, ("batch", 8, 4, 4)))
    del fp32.graph.node[2:]
    prepared = prepare(fp32)
    scheme = TARGETS[target]
    ranges = ranges_of(measure(prepared, stream(images), histograms=False), "minmax", scheme)
    expected = answer(fp32, images)
    found = answer(quantize(prepared, ranges, scheme).model, images, exact=exact)
    return float(np.abs(found - expected).max() / np.ptp(expected))


@pytest.mark.skipif(not int8_overflows(), reason="this processor adds up in 32 bits: nothing saturates here")
def test_extreme_weights_saturate_on_a_processor_without_vnni(images: np.ndarray) -> None:
    assert _error(images, "x86", exact=False) > 0.1


@pytest.mark.parametrize(("target", "exact"), [("x86", True), ("x86-avx2", False), ("x86-avx2", True)])
def test_recoded_weights_or_a_reduced_range_are_right_everywhere(images: np.ndarray, target: str, exact: bool) -> None:
    """An answer has 256 steps: one of them is 0.4 %, and the weights of 7 bits are off by half of 1/64."""
    assert _error(images, target, exact=exact) < 0.02


def test_the_reduced_range_is_what_helps(images: np.ndarray) -> None:
    """Without it the same target fails where the processor saturates; where it does not, both are right."""
    wide = replace(TARGETS["x86-avx2"], reduce_range=False)
    fp32 = _extreme()
    prepared = prepare(fp32)
    ranges = ranges_of(measure(prepared, stream(images), histograms=False), "minmax", wide)
    expected = answer(fp32, images)
    errors = [
        np.abs(answer(quantize(prepared, ranges, row).model, images, exact=False) - expected).max()
        for row in (wide, TARGETS["x86-avx2"])
    ]
    assert errors[1] < errors[0] / 5 if int8_overflows() else errors[0] < 0.05 * np.abs(expected).max()
