"""Execution providers that are libraries beside ONNX Runtime: found, loaded once a process, and asked for devices.

A plugin's package says where its library lies by `get_library_path` or `library_path`, and how its provider is called
by `get_ep_name`, `get_ep_names` or `EP_NAME`, as those of Microsoft, Qualcomm and ggml do.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import onnxruntime as ort

from edgeconv.errors import EdgeconvWarning, ProviderError, one_line
from edgeconv.runtime.providers import provider_of

_LOADING = Lock()
_LOADED: dict[str, str] = {}
"""The names of providers by what named their plugins. Of the process, as ONNX Runtime's own list of libraries is."""


def plugin_providers(plugins: Sequence[str]) -> list[str]:
    """Load plugins and return the names of their providers; one that cannot be loaded is left out.

    Args:
        plugins: their packages, or ``"NAME=LIBRARY"``.
    """
    names = []
    for plugin in plugins:
        with suppress(ProviderError):
            names.append(load_plugin(plugin))
    return names


def load_plugin(plugin: str) -> str:
    """Load a plugin, unless this process has it, and return the name of its provider.

    Args:
        plugin: its package, or ``"NAME=LIBRARY"``.

    Raises:
        ProviderError: it is absent or damaged, or ONNX Runtime refuses it.
    """
    with _LOADING:
        if plugin not in _LOADED:
            try:
                name, library = _entry(plugin)
                if name not in _names():  # The app around us may have loaded it under another name.
                    ort.register_execution_provider_library(name, library)
            except Exception as error:  # A package's own code, and ONNX Runtime's exceptions, share no base class.
                raise ProviderError(
                    f"The plugin `{plugin}` requires a library that ONNX Runtime {ort.__version__} loads. Received: "
                    f"{one_line(error)}. Install it again, or leave it out."
                ) from error
            _LOADED[plugin] = name
        return _LOADED[plugin]


def plugin_devices(provider: str) -> list[Any]:
    """Return ONNX Runtime's descriptions of the devices that a loaded plugin offers, or all of one number or name.

    Args:
        provider: its name, with or without ``":ID"``.

    Raises:
        ProviderError: the plugin is loaded and offers no device, or not the one that is asked for.
    """
    name, _, number = provider.partition(":")
    found = [device for device in _devices() if device.ep_name == name]
    if not found:
        driver = provider_of(name).driver
        raise ProviderError(
            f"{name} requires a device and its driver. Received: none that its plugin finds. Install the driver"
            f"{f' ({driver})' if driver else ''}, or use `--device cpu`."
        )
    if not number:
        return found[:1]
    row = provider_of(name)
    if row.device_metadata:
        kinds = [device.ep_metadata.get(row.device_metadata, "") for device in found]
        named = [device for device, kind in zip(found, kinds, strict=True) if kind == number]
        if not named:
            raise ProviderError(
                f"`{provider}` requires a device of that name. Received: {', '.join(kinds)}. Name one of "
                "these, or none."
            )
        return named[:1]
    if row.device_option:
        return found[:1]
    if not number.isdecimal() or int(number) >= len(found):
        raise ProviderError(
            f"`{provider}` requires a device of that number. Received: {len(found)} devices. Count from 0."
        )
    return [found[int(number)]]


def with_devices(providers: Sequence[str]) -> tuple[str, ...]:
    """Return providers without the plugins that offer no device, which is said once on a machine.

    A plugin in an environment that many machines share, or in a container, says nothing of a GPU; `edgeconv doctor`
    tells of it each time.
    """
    missing = [name for name in providers if is_plugin(name) and name not in _names()]
    for name in missing:
        _say_once(
            f"The CPU is used. {name} finds no device and driver here; `edgeconv doctor` tells more. This is said once."
        )
    return tuple(name for name in providers if name not in missing)


def _say_once(text: str) -> None:
    from hashlib import sha256

    from edgeconv.caching import cache_folder, kept_if_possible

    said = cache_folder("notices") / sha256(text.encode()).hexdigest()[:16]
    with kept_if_possible():
        if said.exists():
            return
        said.parent.mkdir(parents=True, exist_ok=True)
        said.touch()
    warnings.warn(text, EdgeconvWarning, stacklevel=2)


def is_plugin(provider: str) -> bool:
    """Tell whether a provider is one of a plugin that `load_plugin` loaded; ONNX Runtime may list it as built in."""
    return provider.partition(":")[0] in _LOADED.values()


def _entry(plugin: str) -> tuple[str, str]:
    """Return the name of a plugin's provider and the path of its library."""
    name, equals, library = plugin.partition("=")
    if equals:
        return name, str(Path(library).resolve(strict=True))
    module = importlib.import_module(plugin)
    path = getattr(module, "get_library_path", None) or module.library_path
    names = getattr(module, "get_ep_names", lambda: [re.sub("^onnxruntime_(ep_)?", "", plugin)])()
    return str(getattr(module, "EP_NAME", names[0])), str(path())


def _devices() -> list[Any]:
    return list(ort.get_ep_devices()) if hasattr(ort, "get_ep_devices") else []  # Older than 1.23.


def _names() -> set[str]:
    return {device.ep_name for device in _devices()}
