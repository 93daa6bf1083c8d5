"""The names that the protocol has for types of numbers."""

from __future__ import annotations

import numpy as np

BYTES = "BYTES"
"""Strings of bytes: pictures in files, and the answers of the classification extension."""

NUMPY = {
    "BOOL": np.dtype("bool"),
    **{
        f"{sign}INT{bits}": np.dtype(f"<{kind}{bits // 8}")
        for sign, kind in (("", "i"), ("U", "u"))
        for bits in (8, 16, 32, 64)
    },
    **{f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
}
"""Numpy's types by the protocol's names; on the wire numbers are little-endian."""

_NAMES = {dtype: name for name, dtype in NUMPY.items()}


def name_of(dtype: np.dtype[np.generic] | str) -> str:
    """Return the protocol's name of a type of numpy.

    Example:
        >>> name_of("float32"), name_of("uint8")
        ('FP32', 'UINT8')
    """
    return _NAMES[np.dtype(dtype)]
