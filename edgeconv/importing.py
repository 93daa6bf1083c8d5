"""Functions of the user's own, by ``module:function``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeconv.errors import ConfigError


def import_function(place: str, *, option: str) -> Callable[..., Any]:
    """Import a function, looked for in the present folder too.

    Args:
        place: ``"module:function"``.
        option: that it is given by, for the error.

    Raises:
        ConfigError: there is no such module, or no function of that name in it.

    Example:
        >>> import_function("math:sqrt", option="metric")(4.0)
        2.0
    """
    module_name, colon, name = place.partition(":")
    if not module_name or not colon or not name:
        raise ConfigError(f"`{option}` must be module:function. Received: {place!r}. Try `train:{option}`.")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # The user's module lacks a module of its own: their traceback says where.
        raise ConfigError(
            f"`{option}` must name a module that Python finds. Received: {place!r}, and no module {error.name!r}. "
            "Install it, run edgeconv in the module's folder, or add that to PYTHONPATH."
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise ConfigError(
            f"`{option}` must name a function. Received: {place!r}, and `{module.__file__}` has none of that name. "
            "Correct it."
        )
    return function  # type: ignore[no-any-return]  # What it returns is checked by who calls it.
