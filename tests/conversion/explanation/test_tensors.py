"""Tensors of a graph, measured and compared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
keras = pytest.importorskip("keras", reason="needs the extra `train`")
from edgeconv.conversion.explanation.comparing import compare  # noqa: E402
from edgeconv.conversion.explanation.tapping import TappedModel  # noqa: E402


def test_statistics_measured_in_the_graph_are_those_of_the_tensors(fp32: Any, feeds: Any) -> None:
    tapped = TappedModel(fp32, feeds)
    statistics = tapped.statistics()
    for name, array in tapped.fetch(list(tapped.values)).items():
        assert statistics[name].size == array.size
        assert statistics[name].low == pytest.approx(array.min(), abs=1e-6)
        assert statistics[name].mean == pytest.approx(array.mean(), abs=1e-4)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux' /proc")
def test_measuring_a_graph_keeps_none_of_its_tensors() -> None:
    """Starts a process, since a process has one peak of memory: 40 tensors of 16 MB are measured in less than 200."""
    code = """
import re, pathlib, numpy as np
from onnx import TensorProto, helper
from edgeconv.conversion.explanation.tapping import TappedModel
nodes = [helper.make_node("Neg", [f"v{i}"], [f"v{i + 1}"], name=f"layer{i}/Neg") for i in range(40)]
ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("v0", "v40")]
model = helper.make_model(helper.make_graph(nodes, "g", ports[:1], ports[1:]), ir_version=8,
                          opset_imports=[helper.make_opsetid("", 17)])
tapped = TappedModel(model, {"v0": np.ones(4_000_000, np.float32)})
def peak():  # getrusage's would be the parent's.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
before = peak()
assert len(tapped.statistics()) == 40
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 200_000


@pytest.mark.parametrize(
    ("shape", "axes", "laid_out"),
    [
        ((2, 5, 6, 3), (0, 3, 1, 2), (2, 3, 5, 6)),
        ((2, 5, 6, 3), (0, 3, 1, 2), (2, 3, 30)),
        ((2, 5, 3), (1, 0, 2), (5, 1, 2, 3)),
        ((2, 30), (0, 1), (2, 5, 6)),
    ],
)
def test_a_tensor_is_compared_in_the_layout_that_fits(
    shape: tuple[int, ...], axes: tuple[int, ...], laid_out: tuple[int, ...]
) -> None:
    expected = np.random.default_rng(8).normal(size=shape).astype(np.float32)
    received = expected.transpose(axes).reshape(laid_out)
    found = compare(expected, received)
    assert found is not None
    assert (found.max_error, found.sqnr_db) == (0.0, None)
    assert compare(expected, received[:1]) is None


def test_rows_and_columns_that_are_swapped_are_an_error() -> None:
    expected = np.random.default_rng(9).normal(size=(2, 5, 5, 3))
    found = compare(expected, expected.swapaxes(1, 2))
    assert found is not None
    assert found.share > 0.1


def test_numbers_that_are_none_are_an_error() -> None:
    expected = np.array([[0.0, 1.0, -np.inf]])
    found = compare(expected, np.array([[0.0, np.nan, -np.inf]]))
    assert found is not None
    assert np.isinf(found.max_error)
    same = compare(expected, expected)
    assert same is not None
    assert same.max_error == 0.0
