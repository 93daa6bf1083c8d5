"""Custom classes and functions of a model, imported from the user's own path, never from the model's file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeconv.errors import ConfigError


def import_custom_objects(names: Sequence[str]) -> dict[str, Any]:
    """Import what a model needs to be loaded.

    Args:
        names: ``"module:Name"``; the module is looked for in the present folder too.

    Returns:
        The objects by the names that Keras looks for: their own, and the one they are registered under.

    Raises:
        ConfigError: there is no such module, or nothing of that name in it.

    Example:
        >>> import_custom_objects(["math:sqrt"])
        {'sqrt': <built-in function sqrt>}
    """
    objects: dict[str, Any] = {}
    for name in names:
        module_name, colon, attribute = name.partition(":")
        if not colon or not module_name or not attribute:
            raise ConfigError(f"`custom_objects` must be module:Name. Received: {name!r}. Try `layers:MyLayer`.")
        if str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise  # The user's module lacks a module of its own: their traceback says where.
            raise ConfigError(
                f"`custom_objects` must name a module that Python finds. Received: {name!r}, and no module "
                f"{error.name!r}. Run edgeconv in the module's folder, or add that to PYTHONPATH."
            ) from error
        if not hasattr(module, attribute):
            raise ConfigError(
                f"`custom_objects` must name what the module has. Received: {name!r}, and `{module.__file__}` has no "
                f"{attribute!r}. Correct the name."
            )
        objects[attribute] = getattr(module, attribute)
    return objects
