"""What a file of Keras 2 has that Keras 3 cannot do."""

from __future__ import annotations


class Untranslatable(Exception):  # noqa: N818 - no error of the user's: the file goes to tf-keras.
    """A layer has no equal in Keras 3.

    Args:
        layer: its name.
        what: what it has.
    """

    def __init__(self, layer: str, what: str) -> None:
        super().__init__(f"the layer `{layer}` has {what}")
