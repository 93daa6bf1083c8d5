"""For the Python reference: a docstring's ``Example:`` is the section of examples, which is shown as code."""

from __future__ import annotations

import re
from typing import Any

import griffe


class ExampleSections(griffe.Extension):
    """Gives the section the name that griffe knows it by."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename the section in a docstring."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
