"""Variants that were compiled ahead of time for a chip, opened in place of the variant where they fit."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from edgeconv.artifact import read_bytes
from edgeconv.errors import EdgeconvWarning, ProviderError
from edgeconv.manifest_blocks import Context
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.providers import provider_of

Opened = TypeVar("Opened")


def open_compiled(
    files: ModelFiles, name: str, provider: str, model: bytes, opened: Callable[[bytes, str], Opened]
) -> Opened:
    """Open what was compiled of a variant for a provider; where that does not fit, the variant, and say so.

    Args:
        files: of the model.
        name: of the variant.
        provider: ONNX Runtime's name of it.
        model: the bytes of the variant.
        opened: opens bytes on a provider.

    Raises:
        ProviderError: the provider does not run the variant either.
    """
    variant = files.manifest.variants.get(name)
    context = None if variant is None else variant.context
    if variant is None or context is None or context.provider != provider:
        return opened(model, provider)
    problem = _problem(context, variant.sha256, provider)
    if not problem:
        try:
            data = read_bytes(files.path / context.file)
            if hashlib.sha256(data).hexdigest() == context.sha256:
                return opened(data, provider)
            problem = f"`{context.file}` has another SHA-256 than its manifest"
        except (OSError, ProviderError) as error:
            problem = str(error)
    warnings.warn(
        f"{name} is compiled anew: its context for the chip {context.soc} does not fit. Received: {problem}. Make it "
        f"again with `edgeconv export --quantize --target qnn --context {context.soc}`.",
        EdgeconvWarning,
        stacklevel=2,
    )
    return opened(model, provider)


def compiler_of(provider: str) -> str:
    """Return the package of a provider's plugin and its version; empty where it has none, or it is not installed.

    Example:
        >>> compiler_of("CPUExecutionProvider")
        ''
    """
    package = provider_of(provider).module.replace("_", "-")
    try:
        return f"{package} {version(package)}" if package else ""
    except PackageNotFoundError:
        return ""


def _problem(context: Context, source_sha256: str | None, provider: str) -> str:
    """Say why a context does not fit a variant, or what is installed; empty where it does."""
    if context.source_sha256 != source_sha256:
        return "it was compiled of another file"
    installed = compiler_of(provider)
    return "" if installed == context.compiler else f"{installed or 'nothing'}, and it is of {context.compiler}"
