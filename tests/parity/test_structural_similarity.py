"""SSIM, beside TensorFlow's."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.parity.structural_similarity import structural_similarity


def _pair(side: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(side)
    one = rng.uniform(0, 1, (side, side + 3, channels)).astype("float32")
    return one, (0.8 * one + rng.normal(0, 0.1, one.shape)).astype("float32")


@pytest.mark.train
@pytest.mark.parametrize(("side", "channels"), [(11, 1), (24, 3)])
def test_it_is_what_tensorflow_computes(side: int, channels: int) -> None:
    tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")
    one, other = _pair(side, channels)
    expected = float(tf.image.ssim(one, other, 2.0))
    assert structural_similarity(one, other, 2.0) == pytest.approx(expected, abs=1e-5)
    assert expected < 0.95


def test_small_pictures_have_a_small_window_and_equal_ones_are_equal() -> None:
    one, other = _pair(4, 1)
    assert structural_similarity(one, one, 1.0) == pytest.approx(1.0)
    assert 0.0 < structural_similarity(one, other, 1.0) < 1.0
