"""Bundles that are not as they should be, and bundles of other models, for the tests of what is bundled."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import onnx
from onnx import numpy_helper

from edgeconv.bundling.collect import collect_context
from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.targets import target_named
from edgeconv.conversion.embedding.colors import grey
from edgeconv.conversion.embedding.tensors import FLOAT, INT64
from edgeconv.conversion.variants.e2e import embed_variant
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import reference_model

LABELS = {
    "quotes": ("it's", 'say "hi"', "\"both\" 'both' 'more'", "back\\slash", 'mixed\\"', "%s {x} ${y} `z`", "*/ -->"),
    "controls": ("tab\there", "line\nfeed", "separator\u2028", "right\u202eleft", "null\x00", "delete\x7f"),
    "languages": ("größe", "日本語のラベル", "العربية", "naïve café", "😀", "👩‍👩‍👧", "🇩🇪"),
    "one": ("only",),
    "one long": ("a single class whose name is so long that it takes a line, " * 2,),
    "numbers": tuple(str(number) for number in range(1000)),
    "thousand": tuple(f"{number} 'species' of \"bird\", with a name that is long enough" for number in range(1000)),
    "full line": tuple("abcdefghijklmno"[:length] for length in (15, 14, 13, 12)),
}
"""Names of classes that are hard to write down, by what is hard about them."""

NAMES = ("My Model 2", "2-fast", "größe", "a/b\\c\"d'e */ -->")
"""Names of artifacts that are none of a package."""

_PATCHED = "edgeconv.conversion.embedding.digits"


@cache
def shipped() -> BundleContext:
    """Return what is bundled of the shipped model."""
    return collect_context(read_files(reference_model()), None)


def render(target: str, out: Path, *, labels: tuple[str, ...] | None = None, name: str | None = None) -> Path:
    """Render a target's templates for a model of other classes and another name; return the folder."""
    context = shipped()
    manifest = replace(context.manifest, labels=labels or context.manifest.labels, name=name or context.manifest.name)
    out.mkdir(parents=True, exist_ok=True)
    renamed = replace(context, manifest=manifest)
    target_named(target).render(renamed, renamed.values(), out)
    return out


@cache
def with_flipped_polarity() -> bytes:
    """Return the shipped model, whose preparation takes dark ink for bright ink."""
    from edgeconv.conversion.embedding.digits import is_bright

    return _embed(mock.patch(f"{_PATCHED}.is_bright", lambda *given: is_bright(*given).apply("Not")))


@cache
def with_nearest_filter() -> bytes:
    """Return the shipped model, whose preparation takes the nearest pixel instead of the mean of several."""

    def nearest(picture: Any, side: int, begin: Any, scale: Any, flat: int) -> Any:
        last = picture.sizes(0, 2).as_type(FLOAT).reshape(2, 1, 1, 1) - 1
        places = (scale.array(np.arange(side) + 0.5) * scale + begin).floor().maximum(0.0).minimum(last)
        rows, columns = places.as_type(INT64).reshape(2, side).split(0)
        made = grey(picture.gather(rows.reshape(side))).transpose(1, 0).gather(columns.reshape(side))
        return made.reshape(1, 1, side, side).transpose(0, 1, 3, 2)

    return _embed(mock.patch(f"{_PATCHED}.grey_square", nearest))


def with_disturbed_weights(model: bytes | None = None) -> bytes:
    """Return a model, by default the shipped one, that reads its largest constant of bytes from another place."""
    changed = onnx.load_model_from_string(model or shipped().model)
    of_bytes = [
        tensor
        for tensor in changed.graph.initializer
        if tensor.data_type in {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}
    ]
    largest = max(of_bytes, key=lambda tensor: int(np.prod(tensor.dims)))
    largest.CopyFrom(numpy_helper.from_array(np.roll(numpy_helper.to_array(largest), 7), largest.name))
    return changed.SerializeToString()


def _embed(change: AbstractContextManager[Any]) -> bytes:
    context = shipped()
    with change:
        return embed_variant(context.plain, context.manifest, context.interface.preparation)
