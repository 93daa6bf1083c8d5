"""The variants that were asked for, made one after another, each by the module of its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Protocol, cast

from edgeconv.conversion.detection.variants import with_boxes
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.errors import UnsupportedModelError
from edgeconv.variants import REFERENCE, VARIANTS, takes_pictures


class Make(Protocol):
    """What each module of this package has under the name `make`."""

    def __call__(self, context: VariantContext) -> ConvertedFile | None:
        """Return the variant, verified, or None where it would gain nothing.

        Args:
            context: what to make it from; the variants that stand before it in `VARIANTS` are made.

        Raises:
            UnsupportedModelError: the model cannot be expressed so, or the file answers otherwise than Keras.
        """


def make_variants(context: VariantContext) -> VariantContext:
    """Return the context with all variants that its config asks for, fp32 first.

    Where the model works with no batch size but the one that it declares, the reference has that afterwards.

    Args:
        context: without files.

    Raises:
        UnsupportedModelError: the model cannot be expressed in ONNX, or a file answers otherwise; names the layer.
    """
    context = _with_reference(context)
    context = _with(context, [name for name in VARIANTS if not takes_pictures(name)])
    if context.reference.boxes is not None:
        context = with_boxes(context)
    return _with(context, [name for name in VARIANTS if takes_pictures(name)])


def _with(context: VariantContext, names: Sequence[str]) -> VariantContext:
    """Return the context with those of the variants that are asked for, and are not there."""
    for name in names:
        if name not in context.files and context.config.makes(name):
            file = maker_of(name)(context)
            context = context if file is None else context.with_file(name, file)
    return context


def maker_of(name: str) -> Make:
    """Return the function that makes a variant."""
    module = import_module(f"edgeconv.conversion.variants.{name.replace('-', '_')}")
    return cast(Make, module.make)


def _with_reference(context: VariantContext) -> VariantContext:
    make, declared = maker_of(REFERENCE), context.reference.interface.declared_batch
    try:
        file = make(context)
    except UnsupportedModelError:
        if declared is None or context.reference.batch is not None:
            raise
        context.progress.say(f"A dynamic batch size is not possible: trying the {declared} that the model declares")
        context = replace(context, reference=replace(context.reference, batch=declared))
        file = make(context)
    if file is None:
        raise ValueError("fp32 is always made")
    return context.with_file(REFERENCE, file)
