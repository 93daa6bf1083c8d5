"""From a float graph that plain int8 spoils to one that keeps its answers, on real quantization."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.feeds import CalibrationFeeds
from edgeconv.conversion.int8.images import draw_calibration
from edgeconv.conversion.int8.quantizing import Prepared, prepare
from edgeconv.conversion.int8.search.candidates import Candidates
from edgeconv.conversion.int8.search.searching import search
from edgeconv.conversion.int8.search.settings import Settings
from edgeconv.conversion.int8.targets import QuantizationScheme, scheme_of
from edgeconv.datasets import Split
from edgeconv.parity.intervals import Lost
from edgeconv.runtime.session import Session
from tests.conversion.graph.graphs import FLOAT, UINT8, model_of, node

PER_CHANNEL = scheme_of("x86-avx2")
PER_TENSOR = replace(PER_CHANNEL, per_channel=False)


@cache
def _fp32(between: str) -> Any:
    """Return Conv -> activation -> depthwise Conv -> activation -> Conv -> Relu -> pool -> Gemm -> Softmax.

    The channels between the first two differ by a factor of 300, which their weights make up for: in float nothing is
    to be seen of it. The last biases make the classes about equally frequent.
    """
    model = _with_bias(between, np.zeros(6, np.float32))
    answers = Session(model.SerializeToString()).run(_images(4, 500))
    return _with_bias(between, -np.log(answers).mean(axis=0))


def _with_bias(between: str, bias: np.ndarray) -> Any:
    generator = np.random.default_rng(3)
    factors = np.logspace(-1.25, 1.25, 8).astype(np.float32)
    bounds = {"low": np.float32(0), "high": np.float32(400)} if between == "Clip" else {}
    return model_of(
        [
            node("Cast", ["image"], ["float"], "input/Cast", to=FLOAT),
            node("Transpose", ["float"], ["nchw"], "one/Transpose", perm=[0, 3, 1, 2]),
            node("Conv", ["nchw", "k1", "c1"], ["one"], "one/Conv", pads=[1, 1, 1, 1]),
            node(between, ["one", *bounds], ["one_act"], f"one/{between}"),
            node("Conv", ["one_act", "k2", "c2"], ["two"], "two/Conv", group=8),
            node(between, ["two", *bounds], ["two_act"], f"two/{between}"),
            node("Conv", ["two_act", "k3", "c3"], ["three"], "three/Conv"),
            node("Relu", ["three"], ["three_act"], "three/Relu"),
            node("MaxPool", ["three_act"], ["pool"], "pool/MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
            node("Flatten", ["pool"], ["flat"], "flat/Flatten"),
            node("Gemm", ["flat", "k4", "c4"], ["logits"], "dense/Gemm"),
            node("Softmax", ["logits"], ["probabilities"], "dense/Softmax"),
        ],
        {
            **bounds,
            "k1": (generator.normal(size=(8, 3, 3, 3)) * factors[:, None, None, None] / 127).astype(np.float32),
            "c1": np.zeros(8, np.float32),
            "k2": (generator.normal(size=(8, 1, 3, 3)) / factors[:, None, None, None]).astype(np.float32),
            "c2": np.zeros(8, np.float32),
            "k3": generator.normal(size=(16, 8, 1, 1)).astype(np.float32),
            "c3": np.zeros(16, np.float32),
            "k4": generator.normal(size=(144, 6), scale=0.002).astype(np.float32),
            "c4": bias,
        },
        ("batch", 8, 8, 3),
        ("batch", 6),
        UINT8,
    )


@cache
def _prepared(between: str) -> Prepared:
    return prepare(_fp32(between))


@cache
def _images(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


@cache
def _calibration() -> CalibrationFeeds:
    train = Split(_images(1, 120), np.arange(120) % 6)
    return draw_calibration(train, dataset="noise", size=100, seed=0)


def _candidates(between: str, scheme: QuantizationScheme, **more: Any) -> Candidates:
    return Candidates(_prepared(between), _calibration(), scheme, **more)


def _classes(model: onnx.ModelProto) -> np.ndarray:
    return Session(model.SerializeToString()).run(_images(2, 1000)).argmax(axis=1)


def _flips(between: str) -> Any:
    """Return a judge of the percentage of answers that differ from those in float."""
    expected = _classes(_fp32(between))
    return lambda model: Lost.exactly(float(100 * np.mean(_classes(model) != expected)))


def _size(model: onnx.ModelProto) -> tuple[int, float | None]:
    return model.ByteSize(), None


def test_equalization_saves_what_one_scale_a_tensor_spoils() -> None:
    found = search(_candidates("Relu", PER_TENSOR), _flips("Relu"), _size, max_drop=5.0)
    assert found.steps[0].judgement.drop > 20, "without a loss there is nothing to find"
    assert found.settings.equalized
    assert found.holds
    assert not found.float_layers


def test_where_equalization_may_not_pass_the_worst_layers_return_to_float() -> None:
    candidates = _candidates("Clip", PER_TENSOR)
    assert candidates.pairs == (("three/Conv", "dense/Gemm"),)
    assert candidates.changes(Settings(equalized=True))
    found = search(candidates, _flips("Clip"), _size, max_drop=5.0)
    assert found.steps[0].judgement.drop > 20
    assert found.holds
    assert "one" in found.float_layers or "two" in found.float_layers
    assert len(found.float_layers) < len(_prepared("Clip").layers), "some layers must stay int8"
    final = candidates.quantize(found.settings, found.float_layers)
    assert _flips("Clip")(final.model).percent == found.chosen.judgement.drop, "what was judged is what is made"
    kept = {entry.node.partition("/")[0]: entry.reason for entry in final.float_nodes}
    assert kept.items() >= found.float_layers.items()


def test_of_a_model_that_knows_no_layers_each_node_is_one() -> None:
    model = onnx.ModelProto()
    model.CopyFrom(_fp32("Clip"))
    for number, item in enumerate(model.graph.node):
        item.name = f"saved_model/{item.op_type}_{number}"
    candidates = Candidates(prepare(model), _calibration(), PER_CHANNEL)
    convolutions = [f"saved_model/Conv_{number}" for number in (2, 4, 6)]
    assert set(convolutions) < set(candidates.layers)
    made = candidates.quantize(Settings(), convolutions[:1])
    assert [entry.node for entry in made.float_nodes if entry.operator == "Conv"] == convolutions[:1]
    assert {entry.layer for entry in candidates.rank(Settings())} == {*convolutions, "saved_model/Gemm_10"}


def test_the_ranking_finds_the_spoilt_layers() -> None:
    ranking = _candidates("Clip", PER_TENSOR).rank(Settings())
    assert {entry.layer for entry in ranking} == {"one", "two", "three", "dense"}
    assert {entry.layer for entry in ranking[:2]} == {"one", "two"}


@pytest.mark.parametrize("scheme", [PER_TENSOR, PER_CHANNEL], ids=["per tensor", "per channel"])
def test_candidates_are_equal_in_every_run(scheme: QuantizationScheme) -> None:
    settings = Settings("percentile", equalized=True, corrected=True, rounded=True)
    one, other = (_candidates("Relu", scheme).quantize(settings, ["three"]).model for _ in range(2))
    assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    settings = Settings("percentile", equalized=True, corrected=True, rounded=True)
    expected = _candidates("Relu", PER_TENSOR, cache=tmp_path).quantize(settings).model
    stored = sorted(tmp_path.iterdir())
    for stage in ("shifts", "roundings"):
        assert any(path.name.endswith(f".{stage}.npz") for path in stored)
    bars: list[str] = []

    class Listener:
        def say(self, message: str) -> None: ...

        def bar(self, description: str, _: int | None) -> Any:
            bars.append(description)
            raise AssertionError(f"{description} is done already")

    again = _candidates("Relu", PER_TENSOR, cache=tmp_path, progress=Listener()).quantize(settings).model
    assert (again == expected, bars) == (True, [])
    assert sorted(tmp_path.iterdir()) == stored


def test_a_search_among_the_same_candidates_is_remembered(tmp_path: Path) -> None:
    judge, calls = _flips("Relu"), []

    def counted(model: onnx.ModelProto) -> Lost:
        calls.append(model)
        return judge(model)  # type: ignore[no-any-return]

    results = []
    for judged_on in ("images", "images", "others"):
        candidates = _candidates("Relu", PER_TENSOR, cache=tmp_path)
        results.append(search(candidates, counted, _size, max_drop=5.0, cache=candidates.search_cache(judged_on)))
    assert results[0] == results[1] == results[2]
    assert len(calls) == 2 * len(results[0].steps)
    other = _candidates("Relu", PER_CHANNEL, cache=tmp_path).search_cache("images")
    assert other.judgement(Settings(), ()) is None, "another scheme is another search"


@pytest.mark.parametrize("target", ["x86", "x86-avx2", "arm64", "web", "tensorrt", "qnn"])
def test_the_first_convolution_is_in_blocks_where_onnx_runtime_computes_it(target: str) -> None:
    """Eight columns of three channels are two blocks; the ranking, which runs every layer alone, needs none."""
    scheme = scheme_of(target)
    made = Candidates(prepare(_fp32("Relu")), _calibration(), scheme).quantize(Settings())
    first = next(tensor for tensor in made.model.graph.initializer if len(tensor.dims) == 4)
    assert (made.plain is not None, made.arguments.form == "blocks") == (scheme.blocks, scheme.blocks)
    assert tuple(first.dims) == ((32, 12, 3, 3) if scheme.blocks else (8, 3, 3, 3))
    assert scheme.blocks is (target not in {"tensorrt", "qnn"})
    if made.plain is not None:
        answers = [Session(m.SerializeToString()).run(_images(6, 9)) for m in (made.model, made.plain)]
        np.testing.assert_array_equal(*answers)
