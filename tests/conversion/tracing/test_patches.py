"""Every rewrite on layers of a few weights, against Keras. TensorFlow takes seconds to come up."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")
import tensorflow as tf  # noqa: E402

from edgeconv.conversion.tracing.patches.einsum import MOST_ORDERS  # noqa: E402
from edgeconv.conversion.tracing.patches.mixed_precision import in_float32, rounding_of  # noqa: E402
from edgeconv.conversion.tracing.patches.registry import while_answered, while_converted, while_traced  # noqa: E402
from edgeconv.conversion.tracing.tracer import trace  # noqa: E402
from edgeconv.errors import UnsupportedModelError  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402
from tests.conversion.tracing.tracing import traced, worst_error  # noqa: E402

layers = keras.layers
TOLERANCE = 2e-5


def _model(*stack: Any, shape: tuple[int | None, ...], dtype: str = "float32") -> Any:
    return alive(keras.Sequential([keras.Input(shape, dtype=dtype), *stack]))


@pytest.mark.parametrize("activation", ["gelu", "celu"])
def test_activations_of_erfc_and_expm1(activation: str) -> None:
    assert worst_error(_model(layers.Dense(5, activation=activation), shape=(4,))) < TOLERANCE


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("form", [{"strides": 2}, {"dilation_rate": 2}, {}], ids=str)
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_convolutions_in_groups(data_format: str, padding: str, form: dict[str, int], dimensions: int) -> None:
    kind = getattr(layers, f"Conv{dimensions}D")
    space = (9, 7, 6)[:dimensions]
    shape = (*space, 4) if data_format == "channels_last" else (4, *space)
    model = _model(kind(10, 3, groups=2, padding=padding, data_format=data_format, **form), shape=shape)
    assert worst_error(model) < TOLERANCE


@pytest.mark.parametrize("form", [{"strides": 2}, {"dilation_rate": 2}, {"strides": 2, "dilation_rate": 2}], ids=str)
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_depthwise_convolutions(form: dict[str, int], padding: str) -> None:
    layer = layers.DepthwiseConv2D(3, depth_multiplier=2, padding=padding, **form)
    assert worst_error(_model(layer, shape=(9, 10, 4))) < TOLERANCE


def test_a_grouped_convolution_of_unknown_channels_is_refused_by_name() -> None:
    model = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(4, 3, groups=2, name="grouped")])
    signature = [tf.TensorSpec((None, 8, 8, None), name="image")]
    with pytest.raises(UnsupportedModelError, match=r"layer `grouped` \(Conv2D\): .*number of channels"):
        trace(lambda image: {"maps": model(image)}, signature, model, opset=17, source="model.keras")


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("form", [{"strides": 2, "output_padding": 1}, {"strides": 3, "kernel_size": 2}], ids=str)
def test_transposed_convolutions_larger_than_their_kernels_reach(dimensions: int, form: dict[str, int]) -> None:
    kind = getattr(layers, f"Conv{dimensions}DTranspose")
    model = _model(kind(4, **{"kernel_size": 3, **form}), shape=(*(4, 5, 6)[:dimensions], 3))
    assert worst_error(model) < TOLERANCE


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("sizes", [((12, 17), (7, 9)), ((7, 5), (13, 11)), ((9, 10), (9, 5))], ids=str)
@pytest.mark.parametrize("method", ["bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"])
def test_resizing_in_every_interpolation(method: str, sizes: tuple[Any, Any], antialias: bool) -> None:
    old, new = sizes
    assert worst_error(_model(layers.Resizing(*new, method, antialias=antialias), shape=(*old, 3))) < TOLERANCE


@pytest.mark.parametrize(
    "form", [{"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 0.3}], ids=str
)
@pytest.mark.parametrize("shape", [(12, 17, 3), (17, 12, 3), (None, None, 3)])
def test_resizing_to_an_aspect_ratio(form: dict[str, Any], shape: tuple[int | None, ...]) -> None:
    assert worst_error(_model(layers.Resizing(7, 9, **form), shape=shape)) < TOLERANCE


def test_resizing_a_picture_of_any_size() -> None:
    assert worst_error(_model(layers.Resizing(7, 9), shape=(None, None, 3)), dynamic=11) < TOLERANCE


def test_resizing_a_picture_of_any_size_by_a_matrix_is_refused_by_name() -> None:
    model = _model(layers.Resizing(7, 9, "area", name="shrink"), shape=(None, None, 3))
    with pytest.raises(UnsupportedModelError, match=r"`shrink` \(Resizing\).*known height and width.*`area`"):
        traced(model)


@pytest.mark.parametrize("method", ["bilinear", "nearest", "bicubic", "lanczos3"])
def test_up_sampling(method: str) -> None:
    assert worst_error(_model(layers.UpSampling2D((2, 3), interpolation=method), shape=(5, 6, 3))) < TOLERANCE


@pytest.mark.parametrize("method", ["bilinear", "nearest"])
def test_up_sampling_a_picture_of_any_size(method: str) -> None:
    assert worst_error(_model(layers.UpSampling2D(2, interpolation=method), shape=(None, None, 3))) < TOLERANCE


@pytest.mark.parametrize("shape", [(7, 6, 3), (None, None, 3)], ids=str)
@pytest.mark.parametrize("kind", ["Average", "Max"])
def test_adaptive_pooling_to_one_value(kind: str, shape: tuple[int | None, ...]) -> None:
    model = _model(getattr(layers, f"Adaptive{kind}Pooling2D")(1), shape=shape)
    pictures = np.random.default_rng(0).uniform(-1, 1, (3, 7, 6, 3)).astype(np.float32)
    session = ort.InferenceSession(traced(model).SerializeToString(), providers=["CPUExecutionProvider"])
    # Keras has an answer on arrays only, and not on each processor: where TensorFlow's oneDNN uses AVX-512, the process
    # dies of a division by the width 0 of the window that is larger than the picture.
    expected = {"Average": np.mean, "Max": np.max}[kind](pictures, axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(session.run(None, {"in0": pictures})[0], expected, atol=1e-6)


def test_keras_answers_on_bytes_as_in_a_graph() -> None:
    model = _model(layers.Resizing(3, 4), layers.Rescaling(1 / 255), shape=(5, 7, 3), dtype="uint8")
    pictures = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    predicted = model.predict(pictures, verbose=0)
    with while_answered(model):
        np.testing.assert_allclose(model(pictures), predicted, atol=1e-6)
    assert np.abs(model(pictures) - predicted).max() > 1e-4, "Keras no longer rounds: the rewrite can go"


def test_attention_over_two_axes_tries_few_orders_of_letters() -> None:
    from tf2onnx.optimizer import einsum_optimizer

    assert worst_error(_attention_over_two_axes()) < TOLERANCE
    with while_converted():
        assert len(list(einsum_optimizer.permutations("abcdefg"))) == MOST_ORDERS


def _attention_over_two_axes() -> Any:
    value = keras.Input((2, 3, 6))
    return alive(keras.Model(value, layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))(value, value)))


@pytest.mark.parametrize("steps", [5, None])
@pytest.mark.parametrize("kind", ["dense", "convolution", "masked"])
def test_time_distribution_calls_its_layer_once(kind: str, steps: int | None) -> None:
    inner, shape = {
        "dense": (layers.Dense(4), (steps, 3)),
        "convolution": (layers.Conv1D(4, 2), (steps, 6, 3)),
        "masked": (layers.Dropout(0.5), (steps, 3)),
    }[kind]
    before = [layers.Masking()] if kind == "masked" else []
    model = _model(*before, layers.TimeDistributed(inner), shape=shape)
    assert worst_error(model) < TOLERANCE
    operators = [node.op_type for node in traced(model).graph.node]
    assert operators.count("MatMul") + operators.count("Conv") == (kind != "masked")


@pytest.mark.parametrize("form", [{}, {"num_oov_indices": 2}, {"mask_token": 0}, {"invert": True}], ids=str)
def test_integers_looked_up(form: dict[str, Any]) -> None:
    model = _model(layers.IntegerLookup(vocabulary=[1, 4, 2], **form), shape=(4,), dtype="int64")
    assert worst_error(model) == 0.0


@pytest.mark.parametrize("mode", ["multi_hot", "count"])
def test_integers_looked_up_and_counted(mode: str) -> None:
    model = _model(layers.IntegerLookup(vocabulary=[1, 4, 2], output_mode=mode), shape=(4,), dtype="int32")
    assert worst_error(model) == 0.0


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_discretization(mode: str) -> None:
    model = _model(layers.Discretization(bin_boundaries=[-0.9, -0.5, 0.0, 0.5, 0.9], output_mode=mode), shape=(4,))
    assert worst_error(model) == 0.0


@pytest.mark.parametrize("mode", ["multi_hot", "count"])
def test_category_encoding(mode: str) -> None:
    model = _model(layers.CategoryEncoding(num_tokens=6, output_mode=mode), shape=(4,), dtype="int32")
    assert worst_error(model) == 0.0


@pytest.mark.parametrize("points", [64, 32])
def test_mel_spectrogram(points: int) -> None:
    layer = layers.MelSpectrogram(
        fft_length=64, sequence_length=points, sequence_stride=16, num_mel_bins=8, sampling_rate=8000, max_freq=4000
    )
    assert worst_error(_model(layer, shape=(256,))) < TOLERANCE


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.RandomHue(0.2),
        lambda: layers.RandomGrayscale(),
        lambda: layers.MixUp(),
        lambda: layers.RandomRotation(0.2),
        lambda: layers.RandAugment(),
    ],
    ids=["hue", "grayscale", "mixup", "rotation", "randaugment"],
)
def test_augmentation_does_nothing(layer: Any) -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), layer()])
    assert worst_error(model, low=0, high=255) == 0.0
    assert {node.op_type for node in traced(model).graph.node} <= {"Identity"}


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent_layers_trained_with_cudnn(kind: str) -> None:
    model = _model(getattr(layers, kind)(5), shape=(7, 3))
    model.layers[0].use_cudnn = True
    proto = traced(model)
    assert model.layers[0].use_cudnn is True
    assert not any("Cudnn" in node.op_type for node in proto.graph.node)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_layers_trained_with_dropout(kind: str) -> None:
    model = _model(getattr(layers, kind)(5, dropout=0.3, recurrent_dropout=0.3), layers.Dropout(0.2), shape=(7, 3))
    assert worst_error(model) < TOLERANCE


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_mixed_precision_is_rebuilt_in_float32(dtype: str) -> None:
    policy = {"dtype": f"mixed_{dtype}"}
    inner = [layers.Conv2D(6, 3, **policy), layers.BatchNormalization(**policy), layers.Flatten(**policy)]
    inner_model = keras.Sequential([keras.Input((8, 8, 4)), *inner])
    image = keras.Input((10, 10, 3))
    scores = layers.Dense(5, **policy)(inner_model(layers.Conv2D(4, 3, **policy)(image)))
    model = alive(keras.Model(image, scores))
    rebuilt = in_float32(model)
    assert rounding_of(model) == {"float16": 2.0**-11, "bfloat16": 2.0**-8}[dtype]
    assert rounding_of(rebuilt) == 0.0
    assert worst_error(rebuilt) < TOLERANCE
    picture = np.random.default_rng(0).uniform(size=(4, 10, 10, 3)).astype(np.float32)
    difference = np.abs(rebuilt(picture).numpy() - np.float32(model(picture)))
    assert 0 < difference.max() < 20 * rounding_of(model) * float(np.std(rebuilt(picture)))


def test_a_float32_model_is_not_rebuilt() -> None:
    model = _model(layers.Dense(3), shape=(4,))
    assert in_float32(model) is model


def test_a_quantized_model_is_refused_by_name() -> None:
    model = _model(layers.Dense(8, name="wide"), shape=(4,))
    model.quantize("int8")
    with pytest.raises(UnsupportedModelError, match=r"layer `wide` \(Dense\) must have float weights.*int8"):
        in_float32(model)


def test_nothing_stays_changed() -> None:
    import keras.src.backend.tensorflow.image as backend
    from keras.src import ops
    from keras.src.backend.tensorflow import nn
    from tf2onnx.graph import Node
    from tf2onnx.handler import tf_op
    from tf2onnx.onnx_opset.nn import ConvOp, ConvTranspose
    from tf2onnx.optimizer import einsum_optimizer

    def patched() -> list[Any]:
        changed = [
            tf.image.resize,
            tf.math.bincount,
            tf.lookup.StaticHashTable.lookup,
            backend.resize,
            ops.image.resize,
        ]
        changed += [
            nn.adaptive_average_pool,
            nn.adaptive_max_pool,
            layers.TimeDistributed.call,
            Node.update_proto,
            einsum_optimizer.permutations,
        ]
        changed += [ConvOp.__dict__["any_version"], ConvTranspose.__dict__["version_1"]]
        return [*changed, keras.layers.Layer.__call__, {**tf_op._OPSETS}]

    model = _model(layers.Dense(3, activation="gelu"), shape=(4,))
    before = patched()
    with while_traced(model), while_converted():
        assert all(old is not new for old, new in zip(before[:-2], patched()[:-2], strict=True))
    traced(model)
    assert patched() == before
