"""What a network with a float input expects of pixels, as its user states it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ConfigError

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels on 0..1, red, green, blue."""


@dataclass(frozen=True)
class InputRange:
    """How a raw pixel, 0 to 255, becomes what a float input expects: ``pixel * scale + offset``.

    Attributes:
        scale: one number, or one each for red, green and blue.
        offset: as many, added after the scale.
        bgr: whether the channels are turned round behind that, to blue, green, red.

    Example:
        >>> InputRange.parse("-1:1").of(255)
        array([1.])
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    bgr: bool = False

    @classmethod
    def parse(cls, text: str) -> InputRange:
        """Read ``LOW:HIGH``, what 0 and 255 become, or the name of a mode of `keras.applications.imagenet_utils`.

        Raises:
            ConfigError: it is neither.
        """
        if text in MODES:
            return MODES[text]
        try:
            low, high = map(float, text.split(":"))
        except (ValueError, AttributeError):
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high) and low != high):
            raise ConfigError(
                f"`input_range` must be LOW:HIGH, two numbers that 0 and 255 become, or one of {', '.join(MODES)}. "
                f"Received: {text!r}. Look at the code that trained the model: `x / 255` is 0:1."
            )
        return cls(((high - low) / 255.0,), (low,))

    @property
    def channels(self) -> int | None:
        """How many channels a picture must have, or None where any number will do."""
        return len(self.scale) if len(self.scale) > 1 else None

    def of(self, pixel: float) -> NDArray[np.float64]:
        """Return what a pixel of this value in all channels becomes, (1,) or (3,)."""
        made = np.asarray(pixel * np.array(self.scale) + np.array(self.offset))
        return np.flip(made) if self.bgr else made


RAW = InputRange((1.0,), (0.0,))
"""Of a network that scales raw pixels itself."""

MODES = {
    "caffe": InputRange((1.0,) * 3, (-123.68, -116.779, -103.939), bgr=True),
    "torch": InputRange(
        tuple(1.0 / 255.0 / std for std in _STD), tuple(-mean / std for mean, std in zip(_MEAN, _STD, strict=True))
    ),
    "tf": InputRange((2.0 / 255.0,), (-1.0,)),
}
"""The modes of `preprocess_input` in keras.applications.imagenet_utils."""
