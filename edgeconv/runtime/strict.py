"""A session on a provider that runs the whole model, or an error that names what it would leave to the CPU."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import onnxruntime as ort

from edgeconv.errors import InferenceError, ProviderError, one_line
from edgeconv.runtime.cuda_libraries import load_cuda
from edgeconv.runtime.one_by_one import OneByOne, pin_batch
from edgeconv.runtime.plugins import is_plugin, plugin_devices
from edgeconv.runtime.providers import CPU, provider_of
from edgeconv.runtime.time_limit import LimitedSession

_TELLS = hasattr(ort.InferenceSession, "get_provider_graph_assignment_info")
"""Whether this ONNX Runtime, from 1.24 on, tells which provider each node went to."""

_STRICT = ("session.record_ep_graph_assignment_info" if _TELLS else "session.disable_cpu_ep_fallback", "1")
"""Lets ONNX Runtime tell, or an older one refuse without a name (onnxruntime_session_options_config_keys.h)."""

_ERRORS_ONLY = 3
"""ONNX Runtime's log level: some errors, as of a GPU's libraries that are missing, are logged and not raised."""

SHOWN = 3
"""Nodes that are named, of maybe hundreds."""


def open_strictly(
    options: Any,
    model: bytes,
    provider: str,
    *,
    timeout: float = math.inf,
    alone: bool = True,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """Open ONNX Runtime's own session on one provider other than the CPU's, which must run every node.

    Args:
        options: ONNX Runtime's own, which are changed.
        model: the bytes of an `.onnx` file.
        provider: its name, with or without ``":ID"``.
        timeout: seconds that the opening and each call may take; inf is no limit.
        alone: whether it must run every node; else the CPU may help, to find out what is wrong.
        settings: options of the provider beside its own.

    Raises:
        InferenceTimeoutError: opening the model takes too long.
        ProviderError: the provider does not work here, or would leave nodes to the CPU.
    """
    row = provider_of(provider)
    _, _, number = provider.partition(":")
    settings = {**row.options, **settings, **({row.device_option: number} if number and row.device_option else {})}
    if row.threads_option:
        settings = with_threads(settings, row.threads_option, options.intra_op_num_threads)
    chosen: list[Any] = []
    if row.cuda:
        load_cuda(row.name)
    if is_plugin(provider):
        options.add_provider_for_devices(plugin_devices(provider), settings)
    else:
        chosen = [(row.name, settings)]
    alone = alone and not row.on_cpu
    if alone:
        options.add_session_config_entry(*_STRICT)
        options.log_severity_level = _ERRORS_ONLY
    if row.one_by_one:
        pin_batch(options)

    def opened(**more: Any) -> Any:
        # Unlike an empty list, none at all leaves the choice to the options.
        given = {"providers": chosen} if chosen else {}
        return ort.InferenceSession(model, options, enable_fallback=0, **given, **more)

    try:
        session = opened() if timeout == math.inf else _limited(options, opened, timeout)
    except InferenceError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions share no base class.
        raise ProviderError(_unusable(provider, one_line(error))) from error
    got = session.get_providers()[0]
    if got != row.name:
        raise ProviderError(_unusable(provider, f"the session runs on {got}"))
    if alone and (nodes := _nodes_on_cpu(session)):
        raise ProviderError(_unusable(provider, told(nodes)))
    sizes = {array.shape[0] for array in session.get_inputs() if array.shape}
    return OneByOne(session) if row.one_by_one and sizes == {1} else session


def with_threads(settings: Mapping[str, str], option: str, threads: int) -> dict[str, str]:
    """Return a provider's options with a number of threads.

    Example:
        >>> with_threads({"load_config": '{"CPU": {"A": "1"}}'}, "load_config/CPU/B", 2)
        {'load_config': '{"CPU": {"A": "1", "B": "2"}}'}
        >>> with_threads({}, "intra_op_num_threads", 2)
        {'intra_op_num_threads': '2'}
    """
    name, *keys = option.split("/")
    if not keys:
        return {**settings, name: str(threads)}
    config = json.loads(settings.get(name, "{}"))
    inner = config
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
    inner[keys[-1]] = str(threads)
    return {**settings, name: json.dumps(config)}


def _limited(options: Any, opened: Callable[..., Any], timeout: float) -> LimitedSession:
    return LimitedSession(options, lambda: opened(disabled_optimizers={"ConstantFolding"}), timeout)


def _nodes_on_cpu(session: Any) -> list[str]:
    """Return the nodes that a provider leaves to the CPU, of which this ONNX Runtime tells."""
    return [
        f"{node.name or 'a node without a name'} ({node.op_type})"
        for part in (session.get_provider_graph_assignment_info() if _TELLS else ())
        if part.ep_name == CPU
        for node in part.get_nodes()
    ]


def told(nodes: list[str]) -> str:
    """Say in words which nodes are left to the CPU.

    Example:
        >>> told(["a (Add)"])
        'the CPU would have to run a (Add)'
        >>> told(["a (Add)", "b (Add)", "c (Add)", "d (Add)"])
        'the CPU would have to run 4 nodes: a (Add), b (Add), c (Add) and others'
    """
    shown = ", ".join(nodes[:SHOWN]) + (" and others" if len(nodes) > SHOWN else "")
    return f"the CPU would have to run {f'{len(nodes)} nodes: ' if len(nodes) > 1 else ''}{shown}"


def _unusable(provider: str, reason: str) -> str:
    return (
        f"{provider} must run the whole model. Received: {reason}. Another variant may run whole; or install what it "
        f"needs with `{provider_of(provider).install}`, or use `--device cpu`."
    )
