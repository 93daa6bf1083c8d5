"""What the model makes of a pixel: whether it scales raw ones itself, or expects them scaled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeconv.conversion.keras.ports import Port
from edgeconv.errors import ConfigError
from edgeconv.input_range import RAW, InputRange
from edgeconv.scaling_layers import Scaling, scalings_of, spanned


@dataclass(frozen=True)
class Pixels:
    """What is known of a model's pixels.

    Attributes:
        range: what is put before the model so that it may be given raw pixels; None where nobody knows, and the model
            keeps its own input.
        layers: what the model's own layers do to them, as a part of a sentence; empty where none scales.
        stated: the user's own words, or None.
        before: names of the first layers that compute, as a part of a sentence.
    """

    range: InputRange | None = None
    layers: str = ""
    stated: str | None = None
    before: str = ""

    @property
    def sentence(self) -> str:
        """Say what becomes of 0 and 255, or that nobody knows."""
        if self.stated is not None and self.range is not None:
            made = spanned(np.stack([self.range.of(0.0), self.range.of(255.0)]))
            order = ", blue first" if self.range.bgr else ""
            return f"Input: 0..255 becomes {made}{order}, as stated{'; ' * bool(self.layers)}{self.layers}."
        if self.range is not None:
            return f"Input: {self.layers or 'whole numbers, 0..255, as they are'}."
        return f"Input: {self.unknown}, so the file keeps the model's float input. {self.advice}"

    @property
    def unknown(self) -> str:
        """Say why nobody knows, as a part of a sentence."""
        if self.layers:
            return f"{self.layers}, which no network is trained on"
        return f"no layer that scales pixels{' before ' * bool(self.before)}{self.before}, and no stated range"

    @property
    def advice(self) -> str:
        """Say how to state it; a range is suggested only where no layer contradicts it."""
        form = "what your own code made of 0 and 255 before the model, `--input-range LOW:HIGH`"
        return f"State {form}." if self.layers else f"State {form}, such as 0:1 for `x / 255`."


def scales_pixels(model: Any) -> bool:
    """Whether a model's own layers scale raw pixels to what a network may be trained on."""
    return _are_plausible(scalings_of(_graph_of(model)))


def _are_plausible(found: tuple[Scaling, ...]) -> bool:
    return bool(found) and all(scaling.layers and scaling.is_plausible for scaling in found)


def pixels_of(path: Path, model: Any, input_range: str | None, port: Port) -> Pixels:
    """Find out how a raw pixel becomes what the model takes. What is stated always counts.

    Args:
        path: what the errors call the model.
        model: a Keras model with one image input; a subclassed one has no tensor that tells of it.
        input_range: what `InputRange.parse` reads, or None.
        port: that input, channels last.

    Raises:
        ConfigError: the stated range is for floats or for colours, and the model takes none.
    """
    stated = None if input_range is None else InputRange.parse(input_range)
    if stated is not None and port.dtype == "uint8" and stated != RAW:
        raise ConfigError(
            f"`input_range` is for a model that takes floats. Received: {input_range!r} for `{path}`, which takes "
            "uint8 pixels as they are. Leave it out."
        )
    if stated is not None and stated.channels not in {None, port.shape[-1]}:
        raise ConfigError(
            f"`input_range` {input_range!r} is for pictures of {stated.channels} channels. Received: `{path}`, whose "
            f"input is ({', '.join(map(str, port.axes))}). State it as LOW:HIGH."
        )
    found = scalings_of(_graph_of(model), stated or RAW)
    layers = "; ".join(dict.fromkeys(scaling.sentence for scaling in found if scaling.layers))
    if stated is not None:
        return Pixels(stated, layers, input_range)
    before = ", ".join(dict.fromkeys(f"`{scaling.before}`" for scaling in found if scaling.before))
    return Pixels(RAW if _are_plausible(found) or port.dtype == "uint8" else None, layers, before=before)


def _graph_of(model: Any) -> Any:
    """Return the graph of layers that a subclassed model's `call` makes of its one input, and another model as it is.

    A subclassed model remains what it is where no symbolic tensor passes through its code, as through TensorFlow's
    functions, and nothing is known of what it does with pixels.
    """
    import keras

    shapes = tuple((getattr(model, "_build_shapes_dict", None) or {}).values())
    if hasattr(model, "_functional") or len(shapes) != 1 or hasattr(model, "_nodes_by_depth"):
        return model
    try:
        pixels = keras.KerasTensor((None, *shapes[0][1:]))
        return keras.Function(pixels, model.call(pixels))
    except Exception:  # Code of the user's raises whatever it likes.
        return model
