from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgeconv.benchmarking.events import Kernel, Run, read_events
from edgeconv.benchmarking.layers import NO_LAYER, layers_of
from edgeconv.benchmarking.profiling import profile
from edgeconv.errors import ConfigError, InferenceError


def _node(name: str, time_us: int, *, operator: str = "Conv", index: str = "0", size: int = 0) -> dict[str, Any]:
    arguments = {"op_name": operator, "node_index": index, "parameter_size": str(size)}
    return {"cat": "Node", "name": f"{name}_kernel_time", "dur": time_us, "args": arguments}


def _call(time_us: int) -> dict[str, Any]:
    return {"cat": "Session", "name": "model_run", "dur": time_us, "args": {}}


def test_the_first_call_is_not_counted() -> None:
    events = [item for time in (900, 10, 30, 20) for item in (_node("a/Conv", time, size=8), _call(time + 5))]
    assert read_events(events) == Run((Kernel("a/Conv", "Conv", 8, 20.0),), 25.0)


def test_a_node_in_a_loop_runs_several_times_a_call() -> None:
    events = [item for _ in range(3) for item in (_node("a/Add", 2), _node("a/Add", 3), _call(9))]
    assert read_events(events).kernels[0].time_us == 5.0
    assert read_events([*events, _node("a/Add", 3)]).kernels[0].time_us == pytest.approx(18 / 3)


def test_nodes_of_one_name_are_two() -> None:
    events = [item for _ in range(2) for item in (_node("", 1, index="7"), _node("", 2, index="8"), _call(9))]
    assert [kernel.time_us for kernel in read_events(events).kernels] == [1.0, 2.0]


def test_a_profile_without_calls_is_refused() -> None:
    with pytest.raises(InferenceError, match=r"must show two calls\. Received: 1, and 1 nodes"):
        read_events([_node("a/Conv", 1), _call(2)])


PLAIN = [
    Kernel("conv1/Conv", "Conv", 100, 1.0),
    Kernel("conv1_relu/Relu", "Relu", 0, 1.0),
    Kernel("block/conv1/Conv", "Conv", 200, 1.0),
    Kernel("block/short/Conv", "Conv", 300, 1.0),
    Kernel("block/add/Add", "Add", 0, 1.0),
    Kernel("block/out/Relu", "Relu", 0, 1.0),
    Kernel("dense/Gemm", "Gemm", 400, 1.0),
    Kernel("dense/Relu", "Relu", 0, 1.0),
]


@pytest.mark.parametrize(
    ("name", "operator", "size", "layer"),
    [
        ("conv1/Conv", "FusedConv", 100, "conv1"),
        ("conv1/Conv_token_5", "QLinearConv", 100, "conv1"),
        ("fused dense/Gemm", "FusedGemm", 400, "dense"),
        ("block/conv1/Conv:0_nchwc", "Conv", 200, "block/conv1"),
        ("ReorderOutput_token_3", "ReorderOutput", 0, NO_LAYER),
        ("", "Transpose", 0, NO_LAYER),
        # A convolution that was named after the activation, or the sum, behind it.
        ("conv1_relu/Relu:0_nchwc", "Conv", 100, "conv1"),
        ("block/out/Relu:0_nchwc", "Conv", 200, "block/conv1"),
        ("block/out/Relu:0_nchwc", "Conv", 300, "block/short"),
        # Weights whose size has changed: the last convolution before.
        ("block/out/Relu:0_nchwc", "Conv", 999, "block/short"),
        # An operator that no layer has tells nothing: the name does.
        ("block/add/Add", "QuickGelu", 0, "block/add"),
    ],
)
def test_a_kernel_is_traced_back_to_its_layer(name: str, operator: str, size: int, layer: str) -> None:
    assert layers_of([Kernel(name, operator, size, 1.0)], PLAIN) == [layer]


def test_a_layer_that_has_its_kernel_is_not_given_another() -> None:
    kernels = [Kernel("block/short/Conv:0_nchwc", "Conv", 300, 1.0), Kernel("block/out/Relu:0_nchwc", "Conv", 999, 1.0)]
    assert layers_of(kernels, PLAIN) == ["block/short", "block/conv1"]


def test_layers_are_in_order_with_all_variants_side_by_side(tiny: Path) -> None:
    found = profile(tiny, calls=10)
    names = [row.layer for row in found.layers]
    layers = ["input", "rescaling", "conv1", "norm1", "pool1", "conv2", "pool2", "probabilities"]
    assert names == [*layers, NO_LAYER, "(between the kernels)", "(the whole call)"]
    assert found.variants == ("fp32", "int8")
    rows = {row.layer: row for row in found.layers}
    assert "Conv" in rows["conv2"].operators["fp32"][0]
    assert rows["conv2"].operators["int8"] == ("QLinearConv",)
    assert "Softmax" in rows["probabilities"].operators["int8"]
    for variant in found.variants:
        whole = rows["(the whole call)"].times_us[variant]
        parts = sum(row.times_us[variant] or 0.0 for row in found.layers[:-1])
        assert whole is not None
        assert 0.0 < whole <= parts + 1e-6


def test_a_profile_is_json_and_leaves_no_file(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    value = json.loads(json.dumps(profile(tiny, batch=3, calls=2).as_dict()))
    assert (value["batch"], value["threads"]) == (3, 1)
    assert set(value["layers"][0]) == {"layer", "fp32_us", "fp32_operators", "int8_us", "int8_operators"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["batch", "threads", "calls"])
def test_numbers_are_checked(tiny: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"`{name}` must be at least 1\. Received: 0"):
        profile(tiny, **{name: 0})


def test_a_file_with_the_preparation_inside_has_no_layers_to_show(tiny: Path) -> None:
    with pytest.raises(ConfigError, match=r"`profile` requires fp32 or int8\. Received: e2e only"):
        profile(tiny / "model.e2e.onnx")
