"""Names out of a file that nobody vouches for, fit to be shown on a terminal."""

from __future__ import annotations

LONGEST = 80


def shown(name: object) -> str:
    r"""Return a name in backticks, short and without characters that a terminal would obey.

    Example:
        >>> shown("dense\x1b[2J")
        '`dense?[2J`'
    """
    text = "".join(letter if letter.isprintable() and letter != "`" else "?" for letter in str(name)[: LONGEST + 1])
    return f"`{text[:LONGEST]}...`" if len(text) > LONGEST else f"`{text}`"
