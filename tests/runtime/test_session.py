from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeconv.errors import InputError, ProviderError
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.session import Session


@pytest.fixture
def session(tiny: Path) -> Session:
    return Session((tiny / "model.onnx").read_bytes())


def test_answers_are_those_of_keras_at_any_batch_size(session: Session, tiny: Path) -> None:
    samples = Samples.load(tiny / "samples.npz")
    for batch in (1, 3, len(samples.images)):
        answers = session.run(samples.images[:batch])
        assert answers.dtype == np.float32
        # fp32 sums in another order; see edgeconv.conversion.ledger.FP32_MAX_DP.
        np.testing.assert_allclose(answers, samples.probabilities[:batch], atol=1e-5)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((12, 12, 3), np.uint8),
            r"`image` must be uint8 \(batch, 12, 12, 3\)\. Received: uint8 \(12, 12, 3\)\. Add the batch axis",
        ),
        (np.zeros((1, 12, 12, 3)), r"Received: float64 \(1, 12, 12, 3\)\. Give raw pixels 0-255"),
        (np.zeros((1, 28, 28, 1), np.uint8), r"Received: uint8 \(1, 28, 28, 1\)\. Prepare pictures"),
        (np.zeros((), np.uint8), r"Received: uint8 \(\)\. Prepare pictures"),
    ],
)
def test_a_wrong_array_is_told_what_is_right(session: Session, images: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        session.run(images)


def test_bytes_that_are_no_model(tiny: Path) -> None:
    with pytest.raises(InputError, match=r"must be an ONNX file that ONNX Runtime .* loads"):
        Session((tiny / "manifest.json").read_bytes())


def test_a_provider_that_is_absent_is_no_cpu(tiny: Path) -> None:
    """ONNX Runtime itself warns and runs on the CPU."""
    with pytest.raises(ProviderError, match="CUDAExecutionProvider must run the whole model"):
        Session((tiny / "model.onnx").read_bytes(), provider="CUDAExecutionProvider")


def test_the_file_carries_its_contract(session: Session) -> None:
    assert session.metadata["edgeconv.variant"] == "fp32"
    assert session.metadata["Image.BitmapPixelFormat"] == "Rgb8"
    assert '"0": "red"' in session.metadata["names"]
