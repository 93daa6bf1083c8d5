"""Agreement with a reference that is a numpy function: what counts is who notices what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.verification.agreement import largest_difference
from edgeconv.conversion.verification.sample_inputs import draw_sample_inputs
from edgeconv.errors import UnsupportedModelError
from edgeconv.parity.comparison import Batch, ComparisonSet
from edgeconv.variants import FP32_TOLERANCE

node = onnx.helper.make_node
KERNEL = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


@dataclass(frozen=True)
class Reference:
    """Stands for a Keras model of one input `image` and one output `probabilities`."""

    answer: Callable[[np.ndarray], np.ndarray]
    shape: tuple[int | None, ...] = (4,)
    batch: int | None = None
    path: Path = Path("m.keras")
    model: Any = field(default_factory=SimpleNamespace)
    takes_picture: bool = False

    @property
    def inputs(self) -> tuple[Port, ...]:
        return (Port("image", "float32", self.shape),)

    @property
    def outputs(self) -> tuple[Port, ...]:
        return (Port("probabilities", "float32", (3,)),)

    @property
    def interface(self) -> Any:
        return SimpleNamespace(arguments=SimpleNamespace(name="image"))

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"probabilities": self.answer(feeds["image"])}


def _dense(images: np.ndarray) -> np.ndarray:
    return images @ KERNEL


@pytest.fixture
def dense(build: Any) -> bytes:
    model = build([node("MatMul", ["image", "k"], ["probabilities"])], {"k": KERNEL}, ["batch", 4], ["batch", 3])
    return bytes(model.SerializeToString())


def test_equal_answers_agree_at_two_batch_sizes(dense: bytes) -> None:
    compared = draw_sample_inputs(Reference(_dense), seed=0)
    assert [len(batch.feeds["image"]) for batch in compared.batches] == [3, 1]
    assert largest_difference(dense, compared).share < 1e-6


@pytest.mark.parametrize("error", [2 * FP32_TOLERANCE, np.nan, np.inf])
def test_a_difference_is_seen_and_measured_by_the_spread(dense: bytes, error: float) -> None:
    compared = draw_sample_inputs(Reference(_dense), seed=0)
    spread = compared.spreads["probabilities"]
    for batch in compared.batches:
        batch.expected["probabilities"][0, 1] += error * spread
    found = largest_difference(dense, compared)
    assert not found.share <= FP32_TOLERANCE
    if np.isfinite(error):
        assert found.share == pytest.approx(error, rel=1e-3)
    assert "of the spread" in found.sentence(FP32_TOLERANCE)


def test_answers_wrong_at_one_batch_size_only_are_seen(dense: bytes) -> None:
    def off_alone(images: np.ndarray) -> np.ndarray:
        return _dense(images) * (2 if len(images) == 1 else 1)

    found = largest_difference(dense, draw_sample_inputs(Reference(off_alone), seed=0))
    assert found.share > 0.1
    assert found.batch.what == "random inputs, batch 1"


def test_whole_numbers_are_measured_by_how_many_differ() -> None:
    """An argmax may flip at a near tie, of float32 once in 10,000 times."""
    cast = node("Cast", ["image"], ["classes"], to=onnx.TensorProto.INT32)
    shape = ["batch", 1]
    ports = [
        onnx.helper.make_tensor_value_info("image", 1, shape),
        onnx.helper.make_tensor_value_info("classes", 6, shape),
    ]
    graph = onnx.helper.make_graph([cast], "cast", ports[:1], ports[1:])
    file = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    whole = np.arange(10_000, dtype=np.int32)[:, None]
    for flipped, held in ((1, True), (2, False)):
        expected = whole.copy()
        expected[:flipped] += 5
        batch = Batch({"image": whole.astype(np.float32)}, "arrays", {"classes": expected})
        compared = ComparisonSet("x", "given", "", (batch,), spreads={"classes": 9999.0})
        assert (largest_difference(file.SerializeToString(), compared).share <= FP32_TOLERANCE) == held


def test_another_shape_is_no_agreement(dense: bytes) -> None:
    compared = draw_sample_inputs(Reference(lambda images: _dense(images)[:, :2]), seed=0)
    assert largest_difference(dense, compared).share == np.inf


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda images: np.zeros((len(images), 3), np.float32), "is 0 in all places"),
        (lambda images: 0.25 + 1e-7 * np.tanh(_dense(images)), "is 0.25 in all places"),
        (lambda images: _dense(images) * np.float32(np.nan), "is NaN or infinity"),
    ],
)
def test_a_degenerate_reference_is_reported(answer: Any, problem: str) -> None:
    with pytest.raises(UnsupportedModelError, match=f"{problem}, which proves nothing"):
        draw_sample_inputs(Reference(answer), seed=0)


def test_a_range_that_the_reference_has_no_answer_to_is_left(dense: bytes) -> None:
    """The logarithm of a negative number is none: 0 to 1 is tried next."""
    with np.errstate(invalid="ignore"):
        compared = draw_sample_inputs(Reference(lambda images: np.log(images) @ KERNEL), seed=0)
    images = compared.batches[0].feeds["image"]
    assert images.min() >= 0.0
    assert images.max() <= 1.0


def test_dynamic_sizes_are_tried_twice() -> None:
    reference = Reference(lambda images: images.mean(axis=(1, 2)), shape=(None, None, 3))
    shapes = [batch.feeds["image"].shape for batch in draw_sample_inputs(reference, seed=0).batches]
    assert shapes == [(3, 64, 64, 3), (1, 64, 64, 3), (3, 128, 128, 3)]


def test_a_size_that_is_too_small_for_the_reference_is_passed_over() -> None:
    def wants_100(images: np.ndarray) -> np.ndarray:
        if images.shape[1] < 100:
            raise UnsupportedModelError("negative dimension")
        return images.mean(axis=(1, 2))

    compared = draw_sample_inputs(Reference(wants_100, shape=(None, None, 3)), seed=0).batches
    assert compared[0].feeds["image"].shape == (3, 128, 128, 3)


def test_a_fixed_batch_is_the_only_one() -> None:
    compared = draw_sample_inputs(Reference(_dense, batch=5), seed=0).batches
    assert [batch.feeds["image"].shape for batch in compared] == [(5, 4)]


def test_the_users_inputs_take_the_place_of_random_ones(dense: bytes) -> None:
    images = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    compared = draw_sample_inputs(Reference(_dense), 0, {"image": images})
    assert [batch.what for batch in compared.batches] == ["your 9 inputs", "3 of your inputs", "1 of your inputs"]
    np.testing.assert_array_equal(compared.batches[0].feeds["image"], images)
    assert largest_difference(dense, compared).share < 1e-6


def test_a_port_knows_which_shapes_are_its_own() -> None:
    port = Port("frames", "float32", (None, 17))
    assert port.fits((3, 5, 17))
    assert not port.fits((3, 8, 1)), "what Keras returns where a sequence is shorter than a frame"
    assert not port.fits((3, 17))
