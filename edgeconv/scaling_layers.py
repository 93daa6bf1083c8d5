"""The layers that scale a Keras model's input, wherever they stand, and what they make of 0 and 255.

Keras itself is not imported: the model brings its layers along, and each is asked what it makes of even pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.input_range import RAW, InputRange

SCALING = {"Rescaling", "Normalization"}
"""Layers that scale whatever weights they have; besides them, any that has none and scales even pictures evenly."""

MOVING = {
    *("InputLayer", "Identity", "Cast", "ActivityRegularization", "Dropout", "AlphaDropout"),
    *("GaussianDropout", "GaussianNoise", "SpatialDropout2D", "Resizing", "CenterCrop", "ZeroPadding2D"),
    *("Cropping2D", "UpSampling2D", "Reshape", "Permute", "Flatten", "ExpandDims", "Squeeze", "Transpose", "Stack"),
    *("Concatenate", "AugMix", "CutMix", "MixUp", "RandAugment"),
    *(
        f"{reach}{of}Pooling{axes}D"
        for reach in ("", "Global", "Adaptive")
        for of in ("Max", "Average")
        for axes in (1, 2, 3)
    ),
}
"""Layers that leave values as they are at inference, besides those called Random..., and only move or repeat them, or
choose and average among those that are alike."""

OPEN_SIDE = 32
"""What an open size is where a layer is asked: it is seldom left with nothing of so much, which TensorFlow may divide
by, and that ends the process."""

PLAUSIBLE = 10.0
"""Largest magnitude that raw pixels may be scaled to.

Networks are fed values of a few units: 0..1, -1..1, or means taken off and spreads divided by, which gives -2..3 for
photographs and up to 10 where pictures are dark and even, with a spread of 25 or more. `Normalization` that was adapted
on 0..1 makes raw pixels several hundred, on a signal dozens, and ``Rescaling(2, offset=-1)``, which is meant for 0..1,
makes -1..509: such a network never saw raw pixels.
"""

NARROWEST = 0.1
"""Least that 0 and 255 must differ by: less is a layer for more than 8 bits, or a second one behind the user's own."""

MEAN_TAKEN_OFF = 50.0
"""Where the scale is 1, how far 0 and 255 must lie beyond zero: means of 0..255 alone are so large."""


MOST_OFF = 1e-3
"""Share of the spread by which the middle of 0 and 255 may miss the middle behind a layer that scales: rounding."""


@dataclass(frozen=True)
class Scaling:
    """What a model's layers make of the pixels that it is given.

    Attributes:
        layers: names of those that scale, in order.
        values: (2, channels), what 0 and 255 become before the first layer that computes.
        given: what 0 and 255 are before the first of them.
        before: name of the first layer that computes; empty where none does.
    """

    layers: tuple[str, ...]
    values: NDArray[np.float64]
    given: NDArray[np.float64]
    before: str = ""

    @property
    def is_plausible(self) -> bool:
        """Whether a network may have been trained on the values; see `PLAUSIBLE`."""
        low, high = self.values.min(axis=0), self.values.max(axis=0)
        small = max(-low.min(), high.max()) <= PLAUSIBLE and (high - low).min() >= NARROWEST
        centred = np.allclose(high - low, 255.0) and low.max() <= -MEAN_TAKEN_OFF and high.min() >= MEAN_TAKEN_OFF
        return bool(small or centred)

    @property
    def sentence(self) -> str:
        """What the layers do, as a part of a sentence; empty where there are none."""
        if not self.layers:
            return ""
        names = ", ".join(f"`{name}`" for name in self.layers)
        verb = "makes" if len(self.layers) == 1 else "make"
        return f"{names} {verb} {spanned(self.given)} into {spanned(self.values)}"


def spanned(values: NDArray[np.float64]) -> str:
    """Return what 0 and 255 become, (2, channels), as people write a range; over all channels where they differ."""
    rising = values[0].mean() <= values[1].mean()
    low, high = (values[0].min(), values[1].max()) if rising else (values[0].max(), values[1].min())
    return f"{low + 0.0:.4g}..{high + 0.0:.4g}"


def scalings_of(model: Any, stated: InputRange = RAW) -> tuple[Scaling, ...]:
    """Follow a Keras model's input to the first layers that compute, through nested models.

    Args:
        model: a model with one input, or a `keras.Function`; where it is no graph of layers, nothing is found.
        stated: what becomes of a pixel before the model.

    Returns:
        One for each branch that the input takes.
    """
    values = np.stack([stated.of(0.0), stated.of(255.0)])
    start, ends = Scaling((), values, values), list[Scaling]()
    network = _network(model)
    if not hasattr(network, "_nodes_by_depth"):
        return (start,)
    ends += _followed(network, network.inputs[0], start, ends)
    return tuple(ends)


def _network(model: Any) -> Any:
    """Return the graph of layers, which a Sequential keeps apart, and which lies in a layer where Keras 2 runs it."""
    return getattr(model, "_functional", None) or getattr(model, "keras2_model", None) or model


def _followed(network: Any, tensor: Any, state: Scaling, ends: list[Scaling]) -> Iterator[Scaling]:
    """Yield what reaches the outputs of a network; what a layer computes with goes to `ends`."""
    if any(tensor is output for output in network.outputs):
        yield state
    for node in [node for nodes in network._nodes_by_depth.values() for node in nodes]:
        places = [place for place, given in enumerate(_given(node)) if given is tensor]
        if not places:
            continue
        layer = node.operation if hasattr(node, "operation") else node.layer  # Of Keras 3 or 2.
        inner = _network(layer)
        if hasattr(layer, "scalings"):  # A graph of TensorFlow, which knows itself.
            behind = []
            ends += layer.scalings(state)
        elif hasattr(inner, "_nodes_by_depth"):
            behind = list(_followed(inner, inner.inputs[places[0]], state, ends))
        else:
            made = _through(layer, state, tuple(tensor.shape), node)
            behind = [] if made is None else [made]
            ends += [replace(state, before=str(layer.name))] if made is None else []
        for following in behind:
            yield from _followed(network, _made(node), following, ends)


def _given(node: Any) -> list[Any]:
    """Return the symbolic tensors that a layer is called on, of Keras 2 or 3."""
    found: list[Any] = node.keras_inputs if hasattr(node, "keras_inputs") else node.input_tensors
    return found


def _made(node: Any) -> Any:
    """Return the first tensor that a layer makes; Keras 2 has no list of one."""
    return node.output_tensors[0] if isinstance(node.output_tensors, list) else node.output_tensors


def _filled_in(node: Any, array: NDArray[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a layer's call, with an array in place of its one tensor."""
    (tensor,) = _given(node)
    if hasattr(node, "map_arguments"):  # Keras 2.
        args, kwargs = node.map_arguments({str(id(tensor)): [array]})
    else:
        args, kwargs = node.arguments.fill_in({id(tensor): array})
    return tuple(args), dict(kwargs)


def _along(layers: Any, state: Scaling) -> Scaling:
    """Return what reaches the first layer that computes, of layers one behind another."""
    for layer in layers:
        made = _through(layer, state, (None, None, None, state.values.shape[1]), None)
        if made is None:
            return replace(state, before=str(layer.name))
        state = made
    return state


def _through(layer: Any, state: Scaling, shape: tuple[int | None, ...], node: Any) -> Scaling | None:
    """Return what is behind a layer, or None where it does more than move and scale."""
    kind = type(layer).__name__
    if kind in MOVING or kind.startswith("Random"):
        return state
    if kind == "Pipeline":  # Of layers, one behind another.
        made = _along(layer.layers, state)
        return None if made.before else made
    single = node is None or len(_given(node)) == 1
    if not single or (kind not in SCALING and getattr(layer, "weights", None)):
        return None
    values = state.values
    if values.shape[1] not in {1, shape[-1]}:
        values = np.array([[values[0].min()], [values[1].max()]])
    made_of = _of_even_pictures(layer, np.stack([values[0], values[1], values.mean(axis=0)]), shape, node)
    if made_of is None:
        return None
    same = made_of.shape[1] in {1, values.shape[1]} or values.shape[1] == 1
    moved = same and np.allclose(np.sort(made_of, axis=1), np.sort(np.broadcast_to(values, made_of.shape), axis=1))
    named = (str(layer.name),) if kind in SCALING or not moved else ()
    return replace(state, layers=state.layers + named, values=made_of)


def _of_even_pictures(
    layer: Any, values: NDArray[np.float64], shape: tuple[int | None, ...], node: Any
) -> NDArray[np.float64] | None:
    """Return what a layer makes of pictures of the first two values, (2, channels), or None where it does not scale.

    Args:
        layer: of a network, called on one array.
        values: (3, channels); the third lies in the middle of the others, and stays there in what is scaled.
        shape: of what the layer is given.
        node: where it is called, or None where that is not known.
    """
    sizes = (3, *(size or OPEN_SIDE for size in shape[1:]))
    array = np.broadcast_to(values.reshape(3, *(1,) * (len(sizes) - 2), -1), sizes)
    array = np.ascontiguousarray(array, dtype=np.float32)
    arguments, options = ((array,), {}) if node is None else _filled_in(node, array)
    try:
        made = np.asarray(layer(*arguments, **options), np.float64)
        made = made.reshape(3, -1, made.shape[-1])
    except Exception:  # A layer of another form than Keras' own raises whatever it likes, and is not one of these.
        return None
    low, high, middle = made
    spread = np.abs(high - low).max(initial=0.0)
    off_middle = np.abs(middle - (low + high) / 2).max(initial=0.0)
    if not np.isfinite(made).all() or spread == 0.0 or off_middle > MOST_OFF * spread:
        return None
    return np.stack([low.min(axis=0), high.max(axis=0)])
