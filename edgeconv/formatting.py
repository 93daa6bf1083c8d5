"""Figures for people: shares, sizes, times and records as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

UNKNOWN = "\N{EN DASH}"

NARROW = "\N{NARROW NO-BREAK SPACE}"
"""Between a number and its unit (ISO 80000-1, 7.1.4), so that no line breaks there."""

_NO_NUMBER = 1e9
"""From here on a difference stands for NaN, see `edgeconv.parity.classes.compare_classes`."""


def percent(share: float | None, digits: int = 2) -> str:
    r"""Return a share, 0 to 1, in percent.

    Example:
        >>> percent(0.9941)
        '99.41\u202f%'
    """
    return UNKNOWN if share is None else f"{100 * share:.{digits}f}{NARROW}%"


def format_size(count: int | None, space: str = " ") -> str:
    """Return bytes in decimal units, with three digits.

    Args:
        count: of the bytes; None where it is not known.
        space: between the number and its unit; `NARROW` for pages.

    Example:
        >>> format_size(375731)
        '376 kB'
    """
    if count is None:
        return UNKNOWN
    if count >= 1e18:  # What a hostile file claims may be no float at all.
        return f"more than 1,000,000{space}TB"
    for unit, one in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= 0.9995 * one:  # 999,900 is 1 MB, not 1000 kB.
            return f"{_three_digits(count / one)}{space}{unit}"
    return f"{count}{space}bytes"


def latency(latency_ms: float | None) -> str:
    r"""Return a time with three digits, or a dash where it was not measured.

    Example:
        >>> latency(0.04917)
        '0.0492\u202fms'
    """
    return UNKNOWN if latency_ms is None else f"{_three_digits(latency_ms)}{NARROW}ms"


def difference(value: float) -> str:
    """Return a difference of probabilities with two digits.

    Example:
        >>> difference(4.17e-07)
        '4.2e-07'
    """
    return "not a number" if value >= _NO_NUMBER else f"{value:.2g}"


def facts(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of a JSON object with their paths; what is None or empty is left out.

    Example:
        >>> list(facts({"versions": {"numpy": "2.4.6"}, "seed": 0, "base": None}))
        [('versions.numpy', '2.4.6'), ('seed', '0')]
    """
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from facts(value, f"{prefix}{key}.")
        elif value not in (None, [], ()):
            yield f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _three_digits(value: float) -> str:
    return f"{value:.3g}" if value < 99.5 else f"{value:,.0f}"
