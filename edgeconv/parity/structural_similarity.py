"""SSIM: how alike two pictures are in luminance, contrast and structure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE, DEVIATION = 11, 1.5
"""Of the Gaussian window, in pixels; smaller pictures have a window of their own size."""

K1, K2 = 0.01, 0.03

Picture = NDArray[np.float64]


def structural_similarity(given: NDArray[Any], wanted: NDArray[Any], peak: float) -> float:
    """Return the mean SSIM of all windows and channels of two pictures, at most 1.

    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality Assessment: From Error Visibility to Structural
    Similarity", IEEE Transactions on Image Processing 13, 2004, equation 13 and section III.C.

    Args:
        given: (height, width, channels).
        wanted: the same.
        peak: width of the range of the values.
    """
    one, other = given.astype(np.float64), wanted.astype(np.float64)
    mean1, mean2 = _blurred(one), _blurred(other)
    product = mean1 * mean2
    squares = mean1**2 + mean2**2
    luminance = (2.0 * product + (K1 * peak) ** 2) / (squares + (K1 * peak) ** 2)
    covariance = 2.0 * (_blurred(one * other) - product) + (K2 * peak) ** 2
    variances = _blurred(one**2 + other**2) - squares + (K2 * peak) ** 2
    return float((luminance * covariance / variances).mean())


def _blurred(picture: Picture) -> Picture:
    for axis in range(min(2, picture.ndim)):
        size = min(SIDE, picture.shape[axis])
        window = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2.0) / DEVIATION) ** 2)
        window /= window.sum()
        windows = np.lib.stride_tricks.sliding_window_view(picture, size, axis=axis)
        picture = windows @ window
    return picture
