from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.verification import random_images, verify_answers, verify_structure
from edgeconv.errors import UnsupportedModelError

node = onnx.helper.make_node
KERNEL = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


@pytest.fixture
def dense(build: Any) -> Any:
    return build([node("MatMul", ["image", "k"], ["probabilities"])], {"k": KERNEL}, ["batch", 4], ["batch", 3])


def _reference(images: np.ndarray) -> np.ndarray:
    return images @ KERNEL


def test_a_sound_model_passes(dense: Any) -> None:
    data = verify_structure(dense, "m.keras")
    verify_answers(data, _reference, random_images((3, 4), "float32", 0), "m.keras")


def test_an_operator_that_onnx_does_not_have_is_named(build: Any) -> None:
    """tf2onnx logs it and writes the file."""
    model = build([node("Erfc", ["image"], ["probabilities"], name="gelu/Erfc")], {}, ["batch", 4], ["batch", 4])
    with pytest.raises(
        UnsupportedModelError, match=r"must consist of operators that ONNX has\. Received: Erfc \(gelu/Erfc\)"
    ):
        verify_structure(model, "m.keras")


def test_an_operator_that_the_opset_does_not_have_is_named(build: Any) -> None:
    model = build([node("Gelu", ["image"], ["probabilities"], name="gelu/Gelu")], {}, ["batch", 4], ["batch", 4])
    with pytest.raises(UnsupportedModelError, match="Gelu"):  # since opset 20; the file says 17
        verify_structure(model, "m.keras")


def test_constants_that_became_inputs_are_refused(dense: Any) -> None:
    dense.graph.input.append(onnx.helper.make_tensor_value_info("mean", onnx.TensorProto.FLOAT, [3]))
    with pytest.raises(UnsupportedModelError, match="Received: inputs image, mean"):
        verify_structure(dense, "m.keras")


def test_a_model_that_does_not_load_is_refused(build: Any) -> None:
    model = build([node("MatMul", ["image", "k"], ["probabilities"])], {"k": KERNEL}, ["batch", 5], ["batch", 3])
    with pytest.raises(UnsupportedModelError, match="must convert to ONNX that loads"):
        verify_structure(model, "m.keras")


@pytest.mark.parametrize("error", [3e-4, np.nan])
def test_answers_that_differ_are_refused(dense: Any, error: float) -> None:
    data = verify_structure(dense, "m.keras")
    images = random_images((3, 4), "float32", 0)

    def off(batch: np.ndarray) -> np.ndarray:
        answers = _reference(batch)
        answers[0, 0] += error * np.ptp(answers)
        return answers

    with pytest.raises(UnsupportedModelError, match="must answer"):
        verify_answers(data, off, images, "m.keras")


def test_a_difference_at_the_second_batch_size_is_seen(dense: Any) -> None:
    data = verify_structure(dense, "m.keras")
    with pytest.raises(UnsupportedModelError, match="at batch 3"):
        verify_answers(
            data, lambda batch: _reference(batch) * (2 if len(batch) == 3 else 1), random_images((3, 4), "f", 0), "m"
        )


def test_random_images_fill_their_range() -> None:
    pixels = random_images((10, 20, 20, 1), "uint8", 0)
    assert (pixels.dtype, pixels.min(), pixels.max()) == (np.uint8, 0, 255)
    floats = random_images((10, 20), "float32", 0)
    assert floats.dtype == np.float32
    assert 0 <= floats.min() < 0.1 < 0.9 < floats.max() <= 1
    np.testing.assert_array_equal(pixels, random_images((10, 20, 20, 1), "uint8", 0))
