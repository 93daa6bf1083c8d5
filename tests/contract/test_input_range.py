"""What becomes of 0 and 255 before a float input, as it is stated."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.errors import ConfigError
from edgeconv.input_range import MODES, InputRange


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("0:1", 0, 1), ("-1:1", -1, 1), ("0:65535", 0, 65535), ("1:0", 1, 0), ("-.5:2e1", -0.5, 20)],
)
def test_any_two_numbers_are_a_range(text: str, low: float, high: float) -> None:
    stated = InputRange.parse(text)
    np.testing.assert_allclose([stated.of(0)[0], stated.of(255)[0]], [low, high])


@pytest.mark.parametrize("text", ["", "1", "1:1", "0:1:2", "a:b", "nan:1", "0:inf", "CAFFE"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"must be LOW:HIGH.* or one of caffe, torch, tf\. Received: '.*`x / 255` is"):
        InputRange.parse(text)


@pytest.mark.train
@pytest.mark.parametrize("mode", MODES)
def test_the_modes_are_those_of_keras(mode: str) -> None:
    """Loads Keras, which takes seconds."""
    keras = pytest.importorskip("keras", reason="needs the extra `train`")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.float32)
    stated = InputRange.parse(mode)
    made = pixels * np.array(stated.scale) + np.array(stated.offset)
    preprocess = keras.src.applications.imagenet_utils.preprocess_input
    expected = preprocess(pixels.copy(), data_format="channels_last", mode=mode)
    np.testing.assert_allclose(made[..., ::-1] if stated.bgr else made, expected, atol=1e-4)
