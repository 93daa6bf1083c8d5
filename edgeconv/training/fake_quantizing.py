"""`fake_quantize`: a model that trains with the rounding that its int8 file will have."""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np
from keras import layers

from edgeconv.errors import ConfigError
from edgeconv.fake_quantization import STEPS, fake_quantization_layers, rebuilt
from edgeconv.scaling_layers import SCALING, scalings_of
from edgeconv.training.batch_norm_folding import folded_weights, norms_behind
from edgeconv.training.equalizing import NONE, Factors, equalizing_factors
from edgeconv.training.quantized_tensors import (
    ENDS_AT_ONE,
    Readers,
    activation_of,
    keeps_values,
    shares_range,
)

WEIGHTED = (
    *(layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.Dense),
    *(layers.DepthwiseConv1D, layers.DepthwiseConv2D),
)
"""Layers whose kernel the export quantizes, a scale for each output channel."""

_ON_A_STEP = 1e-3
"""Part of a step by which a pixel's value may miss it."""

_RANGE, _WEIGHTS = (lambda found: (found.range, found.weights))(fake_quantization_layers(keras))


def fake_quantize(model: keras.Model, *, calibration: Any = None) -> keras.Model:
    """Return a copy of a model that computes as its int8 file will, for quantization-aware training.

    Batch normalization after a convolution or a Dense layer is folded into its weights, as the export does it. Kernels
    are rounded to int8 with a scale for each output channel, activations to uint8 wherever the int8 file has
    QuantizeLinear; gradients pass as if nothing were rounded (Jacob et al. 2018, arXiv:1712.05877). The ranges of
    activations follow the batches of the training and are stored in the `.keras` file, from which `edgeconv.export`
    takes them. Train a model first, and then this copy for a few more epochs, at a tenth of the learning rate or less.

    Args:
        model: a built Sequential or functional model; it is not changed.
        calibration: a few hundred inputs, as `model.predict` takes them, on which channels of very different ranges,
            which would share the 256 steps of one tensor, are equalized between layers first. The float model gives the
            same answers as before on these inputs. None: the weights stay as they are.

    Returns:
        A functional model with the same inputs and outputs, not compiled. Until its first training step only the
        weights are rounded.

    Raises:
        ConfigError: the model is of another kind, computes in mixed precision, or is quantized already.

    Example:
        >>> model = edgeconv.fake_quantize(trained)  # doctest: +SKIP
        >>> model.compile("adam", "sparse_categorical_crossentropy")  # doctest: +SKIP
        >>> model.fit(images, labels)  # doctest: +SKIP
        >>> model.save("qat.keras")  # doctest: +SKIP
    """
    _check(model)
    return _Insertion(model, calibration=calibration).made


class _Insertion:
    """One model, or a model inside it, made anew with fake quantization.

    Args:
        model: functional or Sequential.
        is_inside: of another model: its inputs are ranged there, and its outputs are not the answer.
        fixed: ranges of scaled pixels by the name of the layer that scales them.
        calibration: inputs that channels are evened out on, or None.
    """

    def __init__(
        self, model: Any, fixed: dict[str, tuple[float, float]] | None = None, *, calibration: Any = None
    ) -> None:
        self._is_inside = fixed is not None
        self._fixed = _scaled_pixels(model) if fixed is None else fixed
        self._network = _functional(model)
        self._readers = Readers(self._network, ends=not self._is_inside)
        self._norms = norms_behind(self._readers, WEIGHTED)
        self._folded = {id(norm) for norm in self._norms.values()}
        self._calibration = calibration
        self._factors: dict[int, Factors] = {}
        if calibration is not None:
            self._factors = equalizing_factors(self._network, self._readers, self._norms, calibration)
        self._twins: dict[int, Any] = {}
        self._activations: dict[str, Any] = {}
        self._calls: Counter[str] = Counter()
        self._ranges: dict[int, Any] = {}
        self.made = rebuilt(keras, self._network, self._call, self._enter)

    def _enter(self, tensor: Any) -> Any:
        """Quantize an input of floats that no layer scales first."""
        place = [given.name for given in self._network.inputs].index(tensor.name)
        read = self._readers.of(self._network.inputs[place])
        scaled = bool(read) and all(type(node.operation).__name__ in SCALING for node in read)
        return tensor if self._is_inside or scaled or "float" not in tensor.dtype else self._ranged(tensor, tensor.name)

    def _call(self, node: Any, *args: Any, **options: Any) -> Any:
        layer, name = node.operation, node.operation.name
        if id(layer) in self._folded:
            return args[0]
        if isinstance(layer, keras.Model):
            return self._twin(layer, lambda: self._inside(layer, node))(*args, **options)
        activation = activation_of(layer)
        split = isinstance(layer, WEIGHTED) and not (activation.removable or self._readers.is_end(node, activation))
        twin = self._twin(layer, lambda: self._made(layer, linear=split))
        if isinstance(layer, WEIGHTED) and (known := self._ranges.get(id(args[0]))) is not None:
            options["step"] = known(args[0], only_step=True)
        answer = twin(*args, **options)
        if isinstance(layer, WEIGHTED):
            self._copy_weights(layer, twin.layer)
        elif isinstance(layer, layers.Layer) and layer.weights:
            twin.set_weights(layer.get_weights())
        if keeps_values(layer):
            self._hand_range_on(args[0], answer)
            return answer
        if shares_range(layer) and (known := self._ranges.get(id(args[0]))) is not None:
            # Rounded to the steps of what it is made of, whose extremes it does not reach.
            rounded = known(answer, training=False)
            self._ranges[id(rounded)] = known
            return rounded
        if split and activation.name != "linear":
            inside, name = self._ranged(answer, name), f"{name}_{activation.name}"
            answer = self._split_off(layer, name)(inside)
        if self._readers.is_rounded_later(self._norms_output(node), activation):
            return answer
        fixed = self._fixed.get(name) or ((0.0, 1.0) if activation.name in ENDS_AT_ONE else None)
        return keras.tree.map_structure(lambda tensor: self._ranged(tensor, name, fixed), answer)

    def _inside(self, model: Any, node: Any) -> Any:
        given = None
        if self._calibration is not None and sum(each.operation is model for each in self._readers.nodes) == 1:
            given = keras.Model(self._network._inputs_struct, node.input_tensors).predict(self._calibration, verbose=0)
        return _Insertion(model, self._fixed, calibration=given).made

    def _norms_output(self, node: Any) -> Any:
        """Return what a call makes, behind the batch normalization that is folded into it."""
        norm = self._norms.get(id(node.operation))
        return node if norm is None else self._readers.of(node.output_tensors[0])[0]

    def _ranged(self, tensor: Any, name: str, fixed: tuple[float, float] | None = None) -> Any:
        if "float" not in tensor.dtype:
            return tensor
        self._calls[name] += 1
        number = self._calls[name]
        rounder = _RANGE(fixed, name=f"{name}_range" if number == 1 else f"{name}_range{number}")
        rounded = rounder(tensor)
        self._ranges[id(rounded)] = rounder
        return rounded

    def _hand_range_on(self, given: Any, answer: Any) -> None:
        known = self._ranges.get(id(given))
        if known is not None:
            self._ranges[id(answer)] = known

    def _twin(self, original: Any, make: Any) -> Any:
        if id(original) not in self._twins:
            self._twins[id(original)] = make()
        return self._twins[id(original)]

    def _split_off(self, layer: Any, name: str) -> Any:
        if name not in self._activations:
            self._activations[name] = layers.Activation(layer.activation, name=name)
        return self._activations[name]

    def _made(self, layer: Any, *, linear: bool) -> Any:
        config = layer.get_config()
        if not isinstance(layer, WEIGHTED):
            return layer.__class__.from_config(config)
        if linear:
            config["activation"] = "linear"
        if id(layer) in self._norms:
            config["use_bias"] = True
        return _WEIGHTS(layer.__class__.from_config(config), name=layer.name)

    def _copy_weights(self, layer: Any, twin: Any) -> None:
        norm = self._norms.get(id(layer))
        weights = layer.get_weights() if norm is None else folded_weights(layer, norm)
        twin.set_weights(self._factors.get(id(layer), NONE).applied(layer, weights))


def _functional(model: Any) -> Any:
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return model


def _scaled_pixels(model: Any) -> dict[str, tuple[float, float]]:
    """Return the range of pixels behind the layers that scale them, by the last one's name.

    Where zero lies on no pixel's value, most often half-way between two (127.5), the range is a thousandth wider: else
    rounding errors would decide which step each pixel is rounded to.
    """
    ranges = {}
    for scaling in scalings_of(model):
        if scaling.layers and scaling.is_plausible:
            low, high = float(np.min(scaling.values)), float(np.max(scaling.values))
            zero = -low / (high - low) * STEPS
            slack = 1.0 if abs(zero - round(zero)) < _ON_A_STEP else 1.001
            ranges[scaling.layers[-1]] = (slack * low, slack * high)
    return ranges


def _check(model: Any) -> None:
    known = isinstance(model, keras.Sequential) or hasattr(model, "_nodes_by_depth")
    if not known or not model.built:
        raise ConfigError(
            f"`fake_quantize` requires a built Sequential or functional model. Received: {type(model).__name__}"
            f"{'' if known else ', whose layers only its code knows'}. Build it with the functional API."
        )
    every = [layer for layer in model._flatten_layers() if layer is not model]
    quantized = [layer for layer in every if isinstance(layer, _RANGE | _WEIGHTS)]
    other = [layer for layer in every if str(layer.dtype_policy.compute_dtype) != "float32"]
    mode = [layer for layer in every if getattr(layer.dtype_policy, "quantization_mode", None) is not None]
    for found, what in ((quantized, "quantized already"), (mode, "quantized by Keras"), (other, "not in float32")):
        if found:
            raise ConfigError(
                f"`fake_quantize` requires a model in float32 as it was before any quantization. Received: the layer "
                f"`{found[0].name}`, {what}. Give the model that it was made from."
            )
