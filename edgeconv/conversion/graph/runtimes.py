"""Which ONNX Runtime release loads a file first."""

from __future__ import annotations

RELEASES = (
    ("1.0", 11, 6),
    ("1.3", 12, 7),
    ("1.6", 13, 7),
    ("1.8", 14, 7),
    ("1.9", 15, 8),
    ("1.11", 16, 8),
    ("1.12", 17, 8),
    ("1.14", 18, 8),
    ("1.15", 19, 9),
    ("1.17", 20, 9),
    ("1.18", 21, 10),
    ("1.21", 22, 10),
    ("1.23", 23, 11),
    ("1.24", 25, 13),
    ("1.25", 26, 13),
    ("1.32", 28, 14),
)
"""Releases that raised a limit, oldest first, each with the highest opset and the highest IR version that it loads.

Up to 1.14 from onnxruntime.ai/docs/reference/compatibility, which agrees with `onnx.helper.VERSION_TABLE` for the ONNX
release that each was built on; from 1.15 to 1.32 measured, by loading files of one operator in the packages of PyPI.
A release that is not listed has the limits of the one before it.
"""

STANDARD_DOMAINS = frozenset({"", "ai.onnx"})


def first_runtime(opset: int, ir_version: int) -> str | None:
    """Return the first ONNX Runtime release that loads a file of standard operators, or None for none known.

    Args:
        opset: version of the standard ONNX operators (domain ``""``).
        ir_version: version of the ONNX file format.

    Example:
        >>> first_runtime(17, 8)
        '1.12'
    """
    return next((release for release, opsets, formats in RELEASES if opset <= opsets and ir_version <= formats), None)
