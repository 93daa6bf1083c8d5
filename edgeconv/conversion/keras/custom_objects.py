"""Custom classes and functions of a model, imported from the user's own path, never from the model's file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from edgeconv.errors import ConfigError


def import_custom_objects(names: Sequence[str]) -> dict[str, Any]:
    """Import what a model needs to be loaded.

    Args:
        names: ``"module:Name"``, or a module or package alone for all that it registers with Keras' serialization and
            the Keras classes that it defines; looked for in the present folder too.

    Returns:
        The objects by the names that Keras looks for: their own, and the one they are registered under.

    Raises:
        ConfigError: there is no such module, or nothing of that name in it.

    Example:
        >>> import_custom_objects(["math:sqrt"])["sqrt"]
        <built-in function sqrt>
    """
    if not names:
        return {}
    objects: dict[str, Any] = {}
    for name in names:
        module_name, colon, attribute = name.partition(":")
        if not module_name or bool(colon) != bool(attribute):
            raise ConfigError(
                f"`custom_objects` must be a module, or module:Name. Received: {name!r}. Try `layers:MyLayer`."
            )
        module = _imported(module_name, name)
        if not attribute:
            objects |= _classes_of(module)
        elif hasattr(module, attribute):
            objects[attribute] = getattr(module, attribute)
        else:
            raise ConfigError(
                f"`custom_objects` must name what the module has. Received: {name!r}, and `{module.__file__}` has no "
                f"{attribute!r}. Correct the name."
            )
    from keras.saving import get_custom_objects

    return {**get_custom_objects(), **objects}


def _imported(module_name: str, name: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # The user's module lacks a module of its own: their traceback says where.
        raise ConfigError(
            f"`custom_objects` must name a module that Python finds. Received: {name!r}, and no module "
            f"{error.name!r}. Install it, run edgeconv in the module's folder, or add that to PYTHONPATH."
        ) from error


def _classes_of(module: ModuleType) -> dict[str, Any]:
    """Return the classes of a module that Keras can make from a config, without those of others that it imports."""
    package = module.__name__.partition(".")[0]
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and hasattr(value, "from_config") and value.__module__.partition(".")[0] == package
    }
