"""Names out of a file that nobody vouches for, fit to be shown on a terminal."""

from __future__ import annotations

LONGEST = 80


def shown(name: object, longest: int = LONGEST) -> str:
    r"""Return a name in backticks, cut off if it is longer, and without characters that a terminal would obey.

    Example:
        >>> shown("dense\x1b[2J")
        '`dense?[2J`'
    """
    text = "".join(letter if letter.isprintable() and letter != "`" else "?" for letter in str(name)[: longest + 1])
    return f"`{text[:longest]}...`" if len(text) > longest else f"`{text}`"
